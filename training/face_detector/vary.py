"""Vary whole training pictures as light, lenses, compression and things before a face would."""

import cv2
import numpy as np

from mask_detector.crops import Image
from training import augment
from training.face_detector.scenes import Rows
from training.face_detector.settings import Samples
from training.face_detector.targets import BOX, FACE, KIND

Random = np.random.Generator
_LARGE = 20  # pixels; smaller faces are not covered further


def vary(image: Image, rows: Rows, config: Samples, random: Random) -> Image:
    """Return the picture (BGR) varied; rows stay true."""
    for box in rows[rows[:, KIND] == FACE, BOX]:
        if (box[2:] - box[:2]).min() >= _LARGE and random.random() < config.covered:
            _cover(image, box, random)
    steps = (
        (config.colour, augment.colour),
        (config.grey, _grey),
        (config.dark, _dark),
        (config.soft, _soft),
        (config.blur, _blur),
        (config.noise, augment.noise),
        (config.jpeg, augment.jpeg),
    )
    for probability, step in steps:
        if random.random() < probability:
            image = step(image, random)
    return image


def _cover(image: Image, box: np.ndarray, random: Random) -> None:
    """Put a piece of the picture, or a plain colour, before the lower half of a face: a hand, a cup."""
    left, top, right, bottom = box.round().astype(int)
    width, height = right - left, bottom - top
    top += round(height * random.uniform(0.45, 0.7))
    left, right = (
        left + round(width * random.uniform(-0.1, 0.3)),
        right - round(width * random.uniform(-0.1, 0.3)),
    )
    left, top = max(left, 0), max(top, 0)
    place = image[top : bottom + round(0.1 * height), left:right]
    if not place.size or random.random() < 0.3:
        place[:] = random.integers(0, 256, 3)
        return
    y, x = (
        random.integers(0, side - part + 1) for side, part in zip(image.shape, place.shape[:2], strict=False)
    )
    place[:] = image[y : y + place.shape[0], x : x + place.shape[1]].copy()


def _grey(image: Image, random: Random) -> Image:
    """Take the colours away, as cameras do at night, often with a tint."""
    tint = np.clip(random.normal(1, 0.05, 3), 0.8, 1.2) if random.random() < 0.5 else np.ones(3)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None]
    return np.clip(grey * tint, 0, 255).astype(np.uint8)


def _dark(image: Image, random: Random) -> Image:
    """Take the light away, and let the grain come up."""
    darker = image.astype(np.float32) * random.uniform(0.12, 0.45)
    grain = random.normal(0, random.uniform(1, 6), image.shape[:2]).astype(np.float32)[..., None]
    return np.clip(darker + grain, 0, 255).astype(np.uint8)


def _soft(image: Image, random: Random) -> Image:
    """Make the picture small and large again."""
    share = random.uniform(0.4, 0.9)
    small = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _blur(image: Image, random: Random) -> Image:
    return cv2.GaussianBlur(image, (0, 0), random.uniform(0.5, 1.6))
