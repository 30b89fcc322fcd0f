"""Crops of the portrait that comes with the package, bare and with drawn masks: real ones, for anybody."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import mask_detector
from mask_detector.crops import Image, crop_faces
from mask_detector.face_detectors import make_face_detector
from training.config import load_config
from training.masks import draw_mask, face_frame

_OF_EACH = 2


@dataclass(frozen=True)
class Portraits:
    """N crops (N, size, size, 3), RGB, with what is on them and the class that it is of."""

    crops: Image
    titles: list[str]
    classes: list[str]


def portraits(size: int, margin: float) -> Portraits:
    """Return the bare portrait, and two with masks for each way of wearing one."""
    synthesis, random = load_config().synthesis, np.random.default_rng(1)
    bare = cv2.imread(str(Path(mask_detector.__file__).parent / "data" / "astronaut.jpg"))
    face = make_face_detector("yunet").detect(bare)[0]
    ways = [way for way in synthesis.ways for _ in range(_OF_EACH)]
    images = [bare, *(draw_mask(bare, face_frame(face), way, random) for way in ways)]
    crops = np.concatenate([crop_faces(image, [face[:4]], size, margin) for image in images])
    titles = ["bare", *(f"drawn mask, {way.replace('_', ' ')}" for way in ways)]
    return Portraits(crops, titles, [synthesis.bare, *(synthesis.ways[way] for way in ways)])
