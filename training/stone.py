"""People turned to stone, bronze or plaster, so that models learn that a statue is nobody.

A statue has a face's shape but one material from the hair to the chest, no chroma, no dark pupil in a
white eye, and a grain. What surrounds it stays alive, so that what is learned is the stuff that a face
is made of, not how grey a picture is.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from training.masks import WAYS, FaceFrame, draw_mask

Random = np.random.Generator
SMALLEST = 48  # pixels of a face's shorter side; on smaller ones nobody can tell
# BGR of granites, marble, plaster, verdigris, basalt: none near to anybody's skin, which must stay a face's.
_STONES = (
    (130, 130, 130), (100, 107, 116), (215, 218, 220), (225, 232, 235), (120, 135, 95), (70, 72, 75),
)  # fmt: skip
_MASKED = 0.7  # share of statues with a mask
_REACH = (0.75, 1.1)  # half of what turns to stone, least and most, in faces; hair and neck too
_ALBEDO = 0.35  # of a face: brightness over larger parts is that of skin and hair, which a statue has not
_BELOW = 0.15  # its centre under the face's, in faces


def statue(
    image: Image, share: NDArray[np.float32], box: NDArray, frame: FaceFrame | None, random: Random
) -> Image:
    """Return the picture with the face in `box` (left, top, right, bottom) turned to stone, mostly masked."""
    image = to_stone(image, share, box, random)
    if frame and random.random() < _MASKED:
        return draw_mask(image, frame, str(random.choice(list(WAYS))), random)
    return image


def stone_shape(image: Image, box: NDArray, random: Random) -> NDArray[np.float32]:
    """Return how far each pixel is stone, shape (height, width, 1): a head and its neck, softly ending."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    size, middle = box[2:] - box[:2], (box[:2] + box[2:]) / 2
    reach, soft = size * random.uniform(*_REACH, 2), random.uniform(0.05, 0.3)
    distance = np.hypot((x - middle[0]) / reach[0], (y - middle[1] - _BELOW * size[1]) / reach[1])
    return np.clip((1 + soft - distance) / soft, 0, 1)[..., None]


def to_stone(image: Image, share: NDArray[np.float32], box: NDArray, random: Random) -> Image:
    """Return the picture (BGR) with the material of a statue where `share` (height, width, 1) says so."""
    size = float((box[2:] - box[:2]).min())
    width = int(size * random.uniform(0.05, 0.11)) // 2 * 2 + 1  # of what has no pupil and no iris any more
    flat = cv2.medianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), max(3, width)).astype(np.float32)
    mean = max(float((flat * share[..., 0]).sum() / share.sum()), 1.0)
    parts = cv2.GaussianBlur(flat, (0, 0), _ALBEDO * size) / mean
    light = np.maximum(flat / mean, 0.05) / np.maximum(parts, 0.1) ** random.uniform(0.2, 0.9)
    light **= random.uniform(0.7, 1.2)
    light *= _grain(flat.shape, size, random)
    stone = np.array(_STONES[random.integers(len(_STONES))]) * random.uniform(0.6, 1.1)
    made = light[..., None] * (stone + random.normal(0, 4, 3))
    return np.clip(image * (1 - share) + made * share, 0, 255).astype(np.uint8)


def _grain(shape: tuple[int, int], size: float, random: Random) -> NDArray[np.float32]:
    """Return the grain (height, width), 1 in the mean: fine pores to large stains, in faces' sizes."""
    total = np.zeros(shape, np.float32)
    for part, most in ((0.012, 0.15), (0.04, 0.12), (0.15, 0.08), (0.6, 0.08)):
        cells = [max(2, round(side / max(size * part, 1))) for side in shape]
        spots = random.normal(0, random.uniform(0.5, 1.2) * most, cells).astype(np.float32)
        total += cv2.resize(spots, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(1 + total, 0.2, 2)
