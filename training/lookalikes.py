"""Crops of what looks like a face in pictures without people: an owl, a wheel, a mask on a horse.

It is what the node would ask the classifier about, and more, which is less like a face.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mask_detector.boxes import Boxes
from mask_detector.crops import Image, crop_faces
from mask_detector.face_detectors import FaceDetector, FaceSearch
from mask_detector.outputs.pictures import fitted
from training.augment import jpeg
from training.background import SMALLEST
from training.cropset import BACKGROUND_NAME, CropSet, assemble
from training.data import Face, Refused
from training.face_detector.backgrounds import read_people_free, with_masks
from training.progress import shown

LOOKALIKE = "lookalike"
SEARCH = FaceSearch(score_threshold=0.1, min_size=SMALLEST)
SEARCH_SMALL = FaceSearch(score_threshold=0.1)
"""How the face detector looks for what looks like a face; small ones also, as the node does."""
_CAMERAS = ((640, 480), (640, 360), (320, 240))
_MASKED = 3  # versions of a picture with masks, besides the one without


def lookalike_crops(
    pictures: Sequence[Path],
    detector: FaceDetector,
    count: int,
    label: int,
    size: int,
    margin: float,
    seed: int,
    refused: Refused,
) -> CropSet:
    """Return up to `count` crops, shape (N, size, size, 3), from pictures without people, with that label.

    Each picture is searched as it is and with masks that nobody wears, one after another until there are
    enough; `detector` tells what looks like a face.
    """
    order = np.random.default_rng(seed).permutation(len(pictures))
    cut, told = [np.empty((0, size, size, 3), np.uint8)], []
    for number in shown(order.tolist(), "pictures without people"):
        if len(told) >= count:
            break
        image = read_people_free(pictures[number])
        if image is None:
            refused.add("picture cannot be read", pictures[number].name)
            continue
        for version, picture in enumerate(_versions(image, detector, np.random.default_rng([seed, number]))):
            boxes = detector.detect(picture)[:, :4]
            cut.append(crop_faces(picture, boxes, size, margin))
            for place, box in enumerate(boxes.tolist()):
                name = f"{BACKGROUND_NAME}{LOOKALIKE}:{pictures[number]}:{version}:{place}"
                told.append(Face(pictures[number], tuple(box), label, LOOKALIKE, name))
    return assemble(np.concatenate(cut)[:count], told[:count])


def shown_lookalikes(
    pictures: Sequence[Path], detector: FaceDetector, random: np.random.Generator
) -> Iterator[tuple[Image, Boxes]]:
    """Yield pictures without people in many versions, with the boxes (N, 4) of what looks like a face there.

    Each comes as it is and with masks that nobody wears, and all that as cameras of several sizes show it.
    """
    for path in shown(pictures, "pictures without people"):
        image = read_people_free(path)
        for number in range(0 if image is None else 1 + _MASKED):
            version = with_masks(image, detector, random) if number else image
            for picture in (version, *(jpeg(fitted(version, *size), random) for size in _CAMERAS)):
                yield picture, detector.detect(picture)[:, :4]


def _versions(image: Image, detector: FaceDetector, random: np.random.Generator) -> Iterator[Image]:
    yield image
    yield with_masks(image, detector, random)
