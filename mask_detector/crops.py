"""Cut faces out of an image, for the classifier and for its training alike.

What is trained is what runs: `training/` imports this module and has no crop of its own.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mask_detector.boxes import squares_around
from mask_detector.shrinking import halved

Image = NDArray[np.uint8]


def crop_faces(image: Image, boxes: ArrayLike, size: int, margin: float) -> Image:
    """Cut square crops around the boxes.

    Args:
        image: BGR picture, shape (height, width, 3).
        boxes: faces, shape (N, 4), in pixels of `image`; they may reach over its edge.
        size: side of each crop in pixels.
        margin: side of the cut square over the longer side of the box.

    Returns:
        RGB crops, shape (N, size, size, 3); pixels beyond the image repeat its edge.
    """
    squares = squares_around(boxes, margin)
    crops = np.empty((len(squares), size, size, 3), np.uint8)
    for square, crop in zip(squares, crops, strict=True):
        _crop(image, square, crop)
    return crops


def _crop(image: Image, square: NDArray[np.float32], crop: Image) -> None:
    """Fill `crop` with what the square shows."""
    size = len(crop)
    side = max(1, round(float(square[2])))
    left, top = (round(float(value)) for value in square[:2])
    height, width = image.shape[:2]
    x0, y0 = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    x1, y1 = max(min(left + side, width), x0 + 1), max(min(top + side, height), y0 + 1)
    inside = image[y0:y1, x0:x1]
    margins = (max(y0 - top, 0), max(top + side - y1, 0), max(x0 - left, 0), max(left + side - x1, 0))
    if any(margins):
        inside = cv2.copyMakeBorder(inside, *margins, cv2.BORDER_REPLICATE)
    rgb = cv2.cvtColor(halved(inside, size, size), cv2.COLOR_BGR2RGB)
    cv2.resize(rgb, (size, size), dst=crop, interpolation=cv2.INTER_LINEAR)
