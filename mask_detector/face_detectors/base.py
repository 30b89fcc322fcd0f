"""The interface that every face detector keeps.

Faces are an array of shape (N, 15), float32, in pixels of the image as given: x, y, width, height,
the points right eye, left eye, nose tip, right and left mouth corner (x, y each; NaN where a
detector has none), and the score. Right and left are the person's own.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from mask_detector.shrinking import resized

Faces = NDArray[np.float32]

NO_FACES: Faces = np.empty((0, 15), np.float32)


@dataclass(frozen=True)
class FaceSearch:
    """How to look for faces; every default of it stands here.

    Attributes:
        score_threshold: least score of a face, 0 to 1.
        nms_threshold: overlap (IoU) from which two boxes are one face, 0 to 1.
        input_size: longest side in pixels at which an image is searched; larger ones are scaled
            down first. A face needs some 10 pixels there.
        min_size: shorter side of the smallest face that counts, in pixels of the input image.
        max_size: longer side of the largest face that counts, in pixels; 0 means no limit.
        tiles: images larger than `input_size` are also searched in tiles × tiles overlapping parts, which
            finds faces that many times smaller at 1 + tiles² times the cost; 1 for the whole image only.
    """

    score_threshold: float = 0.6
    nms_threshold: float = 0.3
    input_size: int = 640
    min_size: int = 16
    max_size: int = 0
    tiles: int = 1


class FaceDetector(Protocol):
    """Finds faces. `search` may be replaced between two calls."""

    name: str
    search: FaceSearch

    def detect(self, image: Image) -> Faces:
        """Return the faces in a BGR image of shape (height, width, 3); shape (0, 15) where none is."""
        ...


def shrink(image: Image, longest_side: int) -> tuple[Image, float]:
    """Scale an image down to `longest_side`; return it and the scale from it to the original."""
    scale = max(image.shape[:2]) / longest_side
    if scale <= 1:
        return image, 1.0
    height, width = (max(1, round(side / scale)) for side in image.shape[:2])
    if scale < 2:  # averaged all the way: bilinear, the network found fewer masks worn improperly in int8
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), scale
    return resized(image, width, height), scale


def of_size(faces: Faces, search: FaceSearch) -> Faces:
    """Keep the faces that are neither too small nor too large."""
    keep = faces[:, 2:4].min(axis=1, initial=np.inf) >= search.min_size
    if search.max_size:
        keep &= faces[:, 2:4].max(axis=1, initial=0) <= search.max_size
    return faces[keep]
