"""What training drives down: YuNet's four losses, over cells that SimOTA pairs with faces."""

from collections.abc import Callable

import numpy as np
from keras import ops

from training.face_detector.assign import Tensor, assign, boxes_of, grid, overlap
from training.face_detector.targets import BOX, KNOWN, POINTS

_BOX_WEIGHT, _POINTS_WEIGHT = 5.0, 0.3


def detection_loss(pixels: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the loss of maps (batch, cells, 16) on faces (batch, faces, COLUMNS) for a square input.

    Each cell is taught whether it is a face's centre, and those that are how well their box fits, the
    box and the landmarks. All is divided by the number of cells that learn a face.
    """
    cells = grid(pixels)

    def loss(rows: Tensor, maps: Tensor) -> Tensor:
        found = assign(cells, rows, ops.stop_gradient(maps))
        mine = ops.take_along_axis(rows, found.row[..., None], axis=1)
        positive = ops.cast(found.positive, "float32")
        taught = ops.cast(ops.logical_or(found.positive, ~found.ignored), "float32")
        total = taught * _cross_entropy(positive, maps[..., 1])
        total += positive * _cross_entropy(found.overlap, maps[..., 0])
        total += positive * _BOX_WEIGHT * _box_loss(boxes_of(cells, maps), mine[..., BOX])
        total += positive * mine[..., KNOWN] * _POINTS_WEIGHT * _points_loss(cells, maps, mine[..., POINTS])
        return ops.sum(total) / ops.maximum(ops.sum(positive), 1.0)

    return loss


def _cross_entropy(target: Tensor, logits: Tensor) -> Tensor:
    return ops.maximum(logits, 0.0) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))


def _box_loss(boxes: Tensor, truth: Tensor) -> Tensor:
    """Return the EIoU loss: overlap, and the distances of centres, widths and heights in the common hull."""
    hull = ops.maximum(boxes[..., 2:], truth[..., 2:]) - ops.minimum(boxes[..., :2], truth[..., :2])
    sizes = (boxes[..., 2:] - boxes[..., :2]) - (truth[..., 2:] - truth[..., :2])
    centres = (boxes[..., :2] + boxes[..., 2:] - truth[..., :2] - truth[..., 2:]) / 2
    apart = ops.sum(centres**2, axis=-1) / (ops.sum(hull**2, axis=-1) + 1e-6)
    return 1 - overlap(boxes, truth) + apart + ops.sum(sizes**2 / (hull**2 + 1e-6), axis=-1)


def _points_loss(cells: np.ndarray, maps: Tensor, truth: Tensor) -> Tensor:
    """Return the smooth L1 loss of the landmarks in units of the stride."""
    corners, stride = np.tile(cells[:, :2], 5), cells[:, 2:]
    error = ops.abs(maps[..., 6:] - (truth - corners) / stride)
    return ops.mean(ops.where(error < 1, error**2 / 2, error - 0.5), axis=-1)
