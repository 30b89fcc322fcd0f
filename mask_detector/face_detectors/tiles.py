"""Look at parts of a picture as well as at the whole, for faces too far to be seen in the whole."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from mask_detector.face_detectors.base import Faces

_OVERLAP = 0.25  # share of a tile that the next one shows too; faces up to that size are whole in one of them
_EDGE = 2.0  # pixels; a box that ends so close to an inner edge is cut off there


def over_tiles(image: Image, tiles: int, find: Callable[[Image], Faces]) -> Faces:
    """Return what `find` finds in a picture and in `tiles` × `tiles` overlapping parts, in its pixels.

    A face may be in there several times.
    """
    found = [find(image)]
    height, width = image.shape[:2]
    for top, bottom in _spans(height, tiles):
        for left, right in _spans(width, tiles):
            faces = find(image[top:bottom, left:right])
            faces = faces[_whole(faces, (left, top, right, bottom), width, height)]
            faces[:, :2] += (left, top)
            faces[:, 4:14] += np.tile((left, top), 5)
            found.append(faces)
    return np.concatenate(found)


def _spans(side: int, tiles: int) -> list[tuple[int, int]]:
    """Return where the tiles of one direction begin and end; none is empty."""
    tiles = min(tiles, side)
    length = side / (tiles - _OVERLAP * (tiles - 1))
    starts = (round(number * length * (1 - _OVERLAP)) for number in range(tiles))
    return [(start, min(side, start + round(length))) for start in starts]


def _whole(faces: Faces, tile: tuple[int, int, int, int], width: int, height: int) -> NDArray[np.bool_]:
    """Tell which faces are not cut off by an edge of the tile that is none of the picture."""
    left, top, right, bottom = tile
    x, y, w, h = faces[:, :4].T
    free = (left == 0) | (x > _EDGE)
    free &= (top == 0) | (y > _EDGE)
    free &= (right == width) | (x + w < right - left - _EDGE)
    return free & ((bottom == height) | (y + h < bottom - top - _EDGE))
