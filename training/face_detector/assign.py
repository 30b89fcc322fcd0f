"""SimOTA: which cells of the three maps learn which face, in operations of any Keras backend.

A face goes to the cells in and around it whose present answer fits it best, to as many as the overlaps
of the best ten add up to; a cell that several faces want takes the one that it fits best.
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from training.face_detector.network import STRIDES
from training.face_detector.targets import BOX, FACE, IGNORED, KIND

Tensor = Any

_RADIUS = 2.5  # cells around a face's centre that may learn it
_OVERLAP_COST = 3.0
_OUTSIDE_COST = 1e5
_CANDIDATES = 10


class Assignment(NamedTuple):
    """For each cell, shape (batch, cells): whether it learns a face, which row, and whether it is ignored."""

    positive: Tensor
    row: Tensor
    ignored: Tensor
    overlap: Tensor


def grid(pixels: int) -> np.ndarray:
    """Return the cells of a square input, shape (cells, 3): x, y of the upper left corner, stride."""
    levels = []
    for stride in STRIDES:
        rows, columns = np.mgrid[: pixels // stride, : pixels // stride]
        levels.append(
            np.stack([columns * stride, rows * stride, np.full_like(rows, stride)], -1).reshape(-1, 3)
        )
    return np.concatenate(levels).astype(np.float32)


def boxes_of(cells: np.ndarray, maps: Tensor) -> Tensor:
    """Return the boxes (batch, cells, 4) as corners that the maps (batch, cells, 16) say."""
    stride = cells[:, 2:]
    centres = maps[..., 2:4] * stride + cells[:, :2]
    halves = ops.exp(ops.minimum(maps[..., 4:6], 8.0)) * stride / 2
    return ops.concatenate([centres - halves, centres + halves], axis=-1)


def assign(cells: np.ndarray, rows: Tensor, maps: Tensor) -> Assignment:
    """Pair cells with faces.

    Args:
        cells: from `grid`.
        rows: the pictures' faces (batch, faces, COLUMNS), see `targets`.
        maps: the network's answers (batch, cells, 16).
    """
    face = rows[..., KIND] == FACE
    middles = cells[:, :2] + cells[:, 2:] / 2
    inside, central = _inside(rows[..., BOX], middles), _central(rows[..., BOX], cells, middles)
    overlaps = overlap(rows[..., BOX][:, :, None], boxes_of(cells, maps)[:, None])
    allowed = ops.logical_and(ops.logical_or(inside, central), face[..., None])
    overlaps = ops.where(allowed, overlaps, 0.0)
    cost = _cost(maps, overlaps) + _OUTSIDE_COST * ops.cast(~ops.logical_and(inside, central), "float32")
    cost = ops.where(allowed, cost, 1e9)
    wanted = ops.logical_and(cost <= _limit(cost, overlaps), allowed)
    cost = ops.where(wanted, cost, 1e9)
    row = ops.argmin(cost, axis=1)
    ignored = ops.any(ops.logical_and(inside, (rows[..., KIND] == IGNORED)[..., None]), axis=1)
    chosen = ops.take_along_axis(overlaps, row[:, None], axis=1)[:, 0]
    return Assignment(ops.any(wanted, axis=1), row, ignored, chosen)


def overlap(first: Tensor, second: Tensor) -> Tensor:
    """Return the IoU of boxes (…, 4) as corners."""
    low = ops.maximum(first[..., :2], second[..., :2])
    high = ops.minimum(first[..., 2:], second[..., 2:])
    common = ops.prod(ops.maximum(high - low, 0.0), axis=-1)
    return common / (area(first) + area(second) - common + 1e-6)


def area(boxes: Tensor) -> Tensor:
    return ops.prod(ops.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), axis=-1)


def _inside(boxes: Tensor, middles: np.ndarray) -> Tensor:
    """Tell which middles of cells lie in which boxes: (batch, faces, cells)."""
    after = ops.all(middles > boxes[:, :, None, :2], axis=-1)
    return ops.logical_and(after, ops.all(middles < boxes[:, :, None, 2:], axis=-1))


def _central(boxes: Tensor, cells: np.ndarray, middles: np.ndarray) -> Tensor:
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    return ops.all(ops.abs(middles - centres[:, :, None]) < _RADIUS * cells[:, 2:], axis=-1)


def _cost(maps: Tensor, overlaps: Tensor) -> Tensor:
    """Return what it costs a cell to learn a face: an answer that is far from yes, a box that is far off."""
    scores = ops.sqrt(ops.sigmoid(maps[..., 0]) * ops.sigmoid(maps[..., 1]))
    return -ops.log(scores + 1e-8)[:, None] - _OVERLAP_COST * ops.log(overlaps + 1e-8)


def _limit(cost: Tensor, overlaps: Tensor) -> Tensor:
    """Return the largest cost (batch, faces, 1) that a face pays: as many cells as overlaps add up to."""
    best, _ = ops.top_k(overlaps, _CANDIDATES)
    count = ops.clip(ops.cast(ops.sum(best, axis=-1), "int32"), 1, _CANDIDATES)
    negated, _ = ops.top_k(-cost, _CANDIDATES)
    return -ops.take_along_axis(negated, count[..., None] - 1, axis=-1)
