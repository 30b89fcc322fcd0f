"""Pure functions on boxes.

A box is ``[x, y, width, height]`` in pixels, the origin at the image's top left corner; many
boxes are an array of shape (N, 4), and nobody there is an array of shape (0, 4).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.float32]


def as_boxes(boxes: ArrayLike) -> Boxes:
    """Return `boxes` as a float32 array of shape (N, 4); an empty list gives (0, 4)."""
    return np.asarray(boxes, np.float32).reshape(-1, 4)


def clip_boxes(boxes: ArrayLike, width: int, height: int) -> NDArray[np.float64]:
    """Cut boxes to the image, so that no part of one lies outside; shape (N, 4) as given.

    They are doubles: rounded to float32, a side may reach a hair over the edge.
    """
    corners = np.array(boxes, np.float64).reshape(-1, 2, 2)
    corners[:, 1] += corners[:, 0]
    np.clip(corners, 0, (width, height), out=corners)
    corners[:, 1] -= corners[:, 0]
    return corners.reshape(-1, 4)


def squares_around(boxes: ArrayLike, margin: float) -> Boxes:
    """Return the squares with the boxes' centres and `margin` times their longer sides, (N, 4)."""
    boxes = as_boxes(boxes)
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    sides = boxes[:, 2:].max(axis=1, keepdims=True, initial=0) * margin
    return np.hstack([centres - sides / 2, sides, sides])


def iou_matrix(first: ArrayLike, second: ArrayLike) -> NDArray[np.float32]:
    """Return the intersection over union of every pair, shape (N, M); 0 where both are empty."""
    first, second = as_boxes(first)[:, None], as_boxes(second)[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    union = first[..., 2:].prod(axis=2) + second[..., 2:].prod(axis=2) - shared
    return shared / np.maximum(union, np.finfo(np.float32).tiny)
