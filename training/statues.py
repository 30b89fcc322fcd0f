"""Crops of people turned to stone, as a part of the background: a statue looks like a face and is nobody."""

from collections.abc import Sequence

import numpy as np

from mask_detector.crops import crop_faces
from mask_detector.frame_sources.pictures import read_picture
from training.cropset import BACKGROUND_NAME, CropSet, assemble
from training.data import Face
from training.drawn import Framed, evenly
from training.stone import SMALLEST, statue, stone_shape

STONE = "stone"


def statue_crops(
    framed: Sequence[Framed], count: int, label: int, size: int, margin: float, seed: int
) -> CropSet:
    """Return up to `count` crops, shape (N, size, size, 3), of the bare faces as statues, with that label."""
    random = np.random.default_rng([seed, 1])
    large = [(face, frame) for face, frame in framed if min(face.box[2:]) >= SMALLEST]
    cut, told = [np.empty((0, size, size, 3), np.uint8)], []
    for number, (face, frame) in enumerate(evenly(large, count, random)):
        image = read_picture(str(face.picture))
        left, top, width, height = face.box
        box = np.array([left, top, left + width, top + height])
        image = statue(image, stone_shape(image, box, random), box, frame, random)
        cut.append(crop_faces(image, [face.box], size, margin))
        told.append(
            Face(face.picture, face.box, label, STONE, f"{BACKGROUND_NAME}{STONE}:{face.name}:{number}")
        )
    return assemble(np.concatenate(cut), told)
