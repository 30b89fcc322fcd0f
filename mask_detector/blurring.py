"""Make faces unrecognisable: a mosaic so coarse that nothing of a face is left to be restored."""

import cv2
import numpy as np
from numpy.typing import ArrayLike

from mask_detector.boxes import clip_boxes, squares_around
from mask_detector.crops import Image

_MARGIN = 1.2  # of the mosaic over the longer side of the face: hair and ears tell who somebody is, too
_CELLS = 6  # to a side


def blur_faces(image: Image, boxes: ArrayLike) -> Image:
    """Return a copy of a BGR image (height, width, 3) with a mosaic over each of the boxes (N, 4)."""
    canvas = image.copy()
    squares = clip_boxes(squares_around(boxes, _MARGIN), image.shape[1], image.shape[0])
    for left, top, width, height in squares:
        x, y = int(left), int(top)
        face = canvas[y : int(np.ceil(top + height)), x : int(np.ceil(left + width))]
        if face.size:
            cells = cv2.resize(face, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
            face[:] = cv2.resize(cells, face.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return canvas
