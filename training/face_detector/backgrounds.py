"""Lessons from pictures without people: what a robot sees, and once took for a face.

Each picture comes once as it is and once with masks: where the teacher comes nearest to finding a face
(an animal's head, a face on a coin), so that a mask alone makes no person, and anywhere else.
"""

import os
from collections.abc import Sequence
from glob import glob
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mask_detector.crops import Image
from mask_detector.face_detectors import FaceDetector
from mask_detector.face_detectors.base import shrink
from mask_detector.frame_sources.pictures import is_picture
from training.errors import TrainingError
from training.face_detector.drawn import nobody, pattern
from training.face_detector.scenes import Lesson
from training.face_detector.targets import COLUMNS
from training.formats.base import save_picture
from training.masks import WAYS, draw_mask, face_frame
from training.pictures import picture_or_none

Random = np.random.Generator
_LONGEST = 800  # pixels, as the scenes
_MASKS = 3  # at most, in a picture
_FACE_LIKE = 0.5  # share of masks that are put where the teacher comes nearest to a face


def people_free(root: Path, places: Sequence[str]) -> list[Path]:
    """Return the pictures in folders, and below them, or of names with wildcards; all from `root` on.

    Raises:
        TrainingError: there is no picture in one of the places.
    """
    return [path for place in places for path in _pictures(root / place)]


def _pictures(place: Path) -> list[Path]:
    inside = place.rglob("*") if place.is_dir() else map(Path, glob(str(place), recursive=True))
    found = sorted(path for path in inside if is_picture(path.name) and path.is_file())
    if not found:
        why = "holds no picture" if place.is_dir() else "is neither a folder nor names pictures"
        raise TrainingError(
            f"pictures without people: {place} {why}; install it, mend the path or take it out"
        )
    return found


def read_people_free(path: Path) -> Image | None:
    """Return a picture (BGR), at most 800 px; cut-outs lie on a drawn pattern; None if unreadable."""
    image = picture_or_none(path, cv2.IMREAD_UNCHANGED)
    if image is None or image.size == 0:
        return None
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8:  # a measurement, not a picture
        return None
    if image.ndim == 3 and image.shape[2] == 3:
        image = picture_or_none(path)  # turned upright, as a telephone says
    small = shrink(image, _LONGEST)[0]
    if small.ndim == 2:
        return cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
    return _on_pattern(small, path) if small.shape[2] == 4 else small


def _on_pattern(image: Image, path: Path) -> Image:
    """Lay what is cut out on a drawn pattern, the same at every reading."""
    random = np.random.default_rng(list(os.fsencode(path.name)))
    behind = cv2.resize(pattern(random), image.shape[1::-1])
    share = image[..., 3:].astype(np.float32) / 255
    return (image[..., :3] * share + behind * (1 - share)).astype(np.uint8)


def background_lessons(paths: Sequence[Path], teacher: FaceDetector, folder: Path, seed: int) -> list[Lesson]:
    """Return two lessons for each picture that can be read: as it is, and with masks that nobody wears."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, path in enumerate(tqdm(paths, "pictures without people", disable=None, leave=False)):
        plain, masked = (folder / f"{number:05}{end}.jpg" for end in ("", "_masked"))
        if not masked.is_file():
            image = read_people_free(path)
            if image is None:
                print(f"left out, cannot be read: {path}")
                continue
            save_picture(plain, image)
            save_picture(masked, with_masks(image, teacher, np.random.default_rng([seed, number])))
        made += [plain, masked]
    return [Lesson(path, np.empty((0, COLUMNS), np.float32), np.empty(0, bool)) for path in made]


def with_masks(image: Image, teacher: FaceDetector, random: Random) -> Image:
    """Draw masks where the teacher comes nearest to a face, and anywhere."""
    like = list(teacher.detect(image))
    for _ in range(int(random.integers(1, _MASKS + 1))):
        near = like and random.random() < _FACE_LIKE
        frame = face_frame(like.pop(0) if near else _anywhere(image, random))
        if frame:
            image = draw_mask(image, frame, str(random.choice(list(WAYS))), random)
    return image


def _anywhere(image: Image, random: Random) -> NDArray[np.float32]:
    return nobody(random, image.shape[1], image.shape[0])
