"""The frames that everybody gets: one portrait, with and without drawn masks, at so many places.

Nothing in them needs to be downloaded, and the number of faces is what is asked for.
"""

import math
from functools import cache

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.demo_clip import LANDMARKS, portrait
from mask_detector.mask_drawing import NOSE_OUT, ON_CHIN, PROPER, draw_mask

_WEARINGS = (None, PROPER, NOSE_OUT, ON_CHIN)
_HEAD = np.s_[5:215, 130:320]  # rows and columns of the portrait
_GROUND = np.s_[262:512]  # rows of it without a face
_SWAY = 3  # pixels that the people move from frame to frame
_REFERENCE_HEIGHT = 480  # of the frame in which a head alone has the portrait's own size


def frames(width: int, height: int, faces: int, count: int = 4) -> list[Image]:
    """Return `count` BGR frames of shape (height, width, 3) that differ a little."""
    ground = cv2.resize(portrait()[_GROUND], (width, height), interpolation=cv2.INTER_AREA)
    return [_with_heads(ground, faces, _SWAY * (number % 2)) for number in range(count)]


def _with_heads(ground: Image, faces: int, shift: int) -> Image:
    frame = ground.copy()
    height, width = frame.shape[:2]
    for number, (left, top, scale) in enumerate(_places(width, height, faces)):
        head = _heads()[number % len(_WEARINGS)]
        head = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        rows, columns = head.shape[:2]
        x, y = min(left + shift, width - columns), top
        frame[y : y + rows, x : x + columns] = head
    return frame


def _places(width: int, height: int, faces: int) -> list[tuple[int, int, float]]:
    """Return left, top and scale of each head, on a grid that leaves them as large as possible."""
    head_height, head_width = _heads()[0].shape[:2]
    largest = height / _REFERENCE_HEIGHT
    scale, columns = max(
        (min(width / columns / head_width, height / math.ceil(faces / columns) / head_height), columns)
        for columns in range(1, faces + 1)
    ) if faces else (1.0, 1)  # fmt: skip
    rows = math.ceil(faces / columns)
    scale = min(scale * 0.95, largest)
    cell = width / columns, height / max(rows, 1)
    return [
        (
            round((number % columns + 0.5) * cell[0] - head_width * scale / 2),
            round((number // columns + 0.5) * cell[1] - head_height * scale / 2),
            scale,
        )
        for number in range(faces)
    ]


@cache
def _heads() -> list[Image]:
    bare = portrait()
    worn = (bare if wearing is None else draw_mask(bare, LANDMARKS, wearing) for wearing in _WEARINGS)
    return [picture[_HEAD] for picture in worn]
