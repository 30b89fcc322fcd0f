"""Crops of what looks like a face in pictures without people: an owl, a wheel, a mask on a horse.

They are the very crops that the node would ask the classifier about.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mask_detector.background import BACKGROUND
from mask_detector.crops import Image, crop_faces
from mask_detector.face_detectors import FaceDetector, FaceSearch, make_face_detector
from training.background import SMALLEST
from training.cropset import CropSet, assemble
from training.data import Face, Refused
from training.face_detector.backgrounds import read_people_free, with_masks
from training.progress import shown

LOOKALIKE = "lookalike"
_FAINT = 0.1  # score of the face detector from which something looks like a face


def lookalike_crops(
    pictures: Sequence[Path], count: int, label: int, size: int, margin: float, seed: int, refused: Refused
) -> CropSet:
    """Return up to `count` crops, shape (N, size, size, 3), from pictures without people, with that label.

    Each picture is searched as it is and with masks that nobody wears.
    """
    detector = make_face_detector(search=FaceSearch(score_threshold=_FAINT, min_size=SMALLEST))
    cut, told = [np.empty((0, size, size, 3), np.uint8)], []
    for number, path in enumerate(shown(pictures, "pictures without people")):
        image = read_people_free(path)
        if image is None:
            refused.add("picture cannot be read", path.name)
            continue
        for version, picture in enumerate(_versions(image, detector, np.random.default_rng([seed, number]))):
            boxes = detector.detect(picture)[:, :4]
            cut.append(crop_faces(picture, boxes, size, margin))
            for place, box in enumerate(boxes.tolist()):
                name = f"{BACKGROUND}:{LOOKALIKE}:{path.name}:{version}:{place}"
                told.append(Face(path, tuple(box), label, LOOKALIKE, name))
    chosen = np.random.default_rng(seed).permutation(len(told))[:count]
    return assemble(np.concatenate(cut), told).where(np.sort(chosen))


def _versions(image: Image, detector: FaceDetector, random: np.random.Generator) -> Iterator[Image]:
    yield image
    yield with_masks(image, detector, random)
