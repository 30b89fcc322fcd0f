"""Bring boxes to the size that a picture really has: label files state the size that it had for its labeller.

That one may have been larger, or lie on its side: telephones store how a picture is to be turned (EXIF),
which we do, and not every labelling tool does.
"""

from collections.abc import Sequence

from training.data import Refused
from training.formats.base import Box

_ALIKE = 0.02  # by which two ratios of width and height may differ, for sizes are whole numbers
Size = tuple[float, float]


def at_real_size(
    boxes: Sequence[Box], stated: Size, real: Size, refused: Refused, name: str
) -> list[Box] | None:
    """Return boxes that fit a picture of the size `stated` (width, height) for one of the size `real`.

    A size of 0 is not known and taken for the real one. None, and a reason, if the shapes differ.
    """
    if not all(stated) or tuple(stated) == tuple(real):
        return list(boxes)
    if _alike(stated, real):
        across, down = real[0] / stated[0], real[1] / stated[1]
        return [(x * across, y * down, width * across, height * down) for x, y, width, height in boxes]
    if _alike(stated[::-1], real):
        refused.add("labelled before it was turned: store it upright, and label it again", name)
    else:
        refused.add("labelled in another shape than the picture has: label it again", name)
    return None


def _alike(one: Size, other: Size) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) < _ALIKE
