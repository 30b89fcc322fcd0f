"""Pictures in which nobody is, and how many of them a detector takes for a picture of somebody."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.face_detectors import FaceDetector
from training.errors import TrainingError
from training.face_detector.backgrounds import people_free, read_people_free, with_masks
from training.face_detector.drawn import pattern
from training.face_detector.settings import Data

PATTERNS, PICTURES, MASKED = "drawn patterns", "pictures without people", "those with masks drawn in"
_PATTERNS, _SEED = 200, 1_000_003  # not those that training draws
_EACH_FRAME = 3  # of a clip


def pictures_of_nobody(data: Data, teacher: FaceDetector) -> dict[str, list[Image]]:
    """Return sets of pictures by name: drawn patterns, held-out pictures, those with masks, frames of clips.

    Places that are not there are told and left out. Masks are put where `teacher` comes nearest to a face.
    """
    random = [np.random.default_rng([_SEED, number]) for number in range(_PATTERNS)]
    sets = {PATTERNS: [pattern(one, number % 3) for number, one in enumerate(random)]}
    sets[PICTURES] = list(_pictures(data))
    sets[MASKED] = [
        with_masks(picture, teacher, np.random.default_rng([_SEED, number]))
        for number, picture in enumerate(sets[PICTURES])
    ]
    for clip in data.test_clips:
        sets[Path(clip).stem] = _frames(Path(data.root) / clip)
    return {name: pictures for name, pictures in sets.items() if pictures}


def _pictures(data: Data) -> Iterator[Image]:
    for place in data.test_backgrounds:
        try:
            pictures = map(read_people_free, people_free(Path(data.root), [place]))
            yield from (picture for picture in pictures if picture is not None)
        except TrainingError as error:
            print(f"left out: {error}")


def _frames(path: Path) -> list[Image]:
    video, frames = cv2.VideoCapture(str(path)), []
    while video.grab():
        frames.append(video.retrieve()[1])
    if not frames:
        print(f"left out: {path} is no video")
    return frames[::_EACH_FRAME]
