"""From the cells of YuNet's three maps to faces, for every runtime that computes the maps.

A picture is scaled to the size of the search and padded to whole cells; each cell says how likely it is
the centre of a face, the face's box and its landmarks, relative to itself.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from mask_detector.face_detectors.base import NO_FACES, Faces, FaceSearch, of_size, shrink
from mask_detector.face_detectors.tiles import over_tiles

STRIDES = (8, 16, 32)  # of the three levels, in pixels
PARTS = (slice(0, 2), slice(2, 6), slice(6, 16))  # channels of a map: logits of face and centre, box, points
_LEAST_LOGIT = -40.0  # from which on a probability is 0; the exponentials of two do not overflow
_LARGEST = 8.0  # exponent of a box's size in strides; a damaged model may not overflow


class Level(NamedTuple):
    """The cells of one map, row by row: scores (cells,), boxes (cells, 4) and points (cells, 10)."""

    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]
    points: NDArray[np.float32]


def find_faces(image: Image, run: Callable[[Image], Sequence[Level]], search: FaceSearch) -> Faces:
    """Return the faces in a BGR image; see `FaceDetector.detect`.

    Args:
        image: of any size.
        run: computes the three levels of a BGR image whose sides are whole cells of the coarsest.
        search: how to look.
    """

    def candidates(part: Image) -> Faces:
        return _candidates(part, run, search)

    far = search.tiles > 1 and max(image.shape[:2]) > search.input_size
    faces = over_tiles(image, search.tiles, candidates) if far else candidates(image)
    if len(faces) == 0:
        return NO_FACES
    kept = cv2.dnn.NMSBoxes(
        faces[:, :4].tolist(), faces[:, 14].tolist(), search.score_threshold, search.nms_threshold
    )
    return of_size(faces[np.asarray(kept, int).reshape(-1)], search)


def _candidates(image: Image, run: Callable[[Image], Sequence[Level]], search: FaceSearch) -> Faces:
    """Return every cell that passes the score threshold as a face, overlapping ones too."""
    small, scale = shrink(image, search.input_size)
    whole = padded(small)
    levels = [
        _decoded(level, stride, whole.shape[1] // stride, search.score_threshold)
        for level, stride in zip(run(whole), STRIDES, strict=True)
    ]
    faces = np.concatenate(levels)
    faces[:, :14] *= scale
    return faces


def score(face: NDArray[np.float32], centre: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the score of cells from the probabilities of a face and of being its centre."""
    return np.sqrt(np.clip(face, 0, 1) * np.clip(centre, 0, 1))


def level_of(logits: NDArray[np.float32]) -> Level:
    """Return the cells of a map (rows, columns, 16), whose channels are PARTS."""
    return level_of_parts(*(logits[..., part] for part in PARTS))


def level_of_parts(*maps: NDArray[np.float32]) -> Level:
    """Return the cells of the maps (rows, columns, channels) of a level, one map for each of PARTS."""
    logits, boxes, points = (part.reshape(-1, part.shape[-1]) for part in maps)
    inverse = 1 + np.exp(-np.maximum(logits, _LEAST_LOGIT))  # of the two probabilities
    return Level(1 / np.sqrt(inverse[:, 0] * inverse[:, 1]), boxes, points)


def padded(image: Image) -> Image:
    """Widen an image at the right and below to whole cells of the coarsest level, two at least.

    On a single row or column of cells OpenCV's network runtime returns rubbish.
    """
    cell = STRIDES[-1]
    below, right = (max(-side % cell, 2 * cell - side) for side in image.shape[:2])
    if not below and not right:
        return image
    return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT)


def _decoded(level: Level, stride: int, columns: int, least_score: float) -> Faces:
    """Return the faces of one level, shape (N, 15), in pixels of the network's input."""
    cells = np.flatnonzero(level.scores >= least_score)
    if not len(cells):
        return NO_FACES
    corners = np.stack([cells % columns, cells // columns], axis=1)
    boxes = level.boxes[cells]
    centres = (corners + boxes[:, :2]) * stride
    sizes = np.exp(np.minimum(boxes[:, 2:], _LARGEST)) * stride
    landmarks = (level.points[cells].reshape(-1, 5, 2) + corners[:, None]) * stride
    parts = [centres - sizes / 2, sizes, landmarks.reshape(-1, 10), level.scores[cells, None]]
    return np.hstack(parts).astype(np.float32)
