"""Draw detections: a box in the colour of the class, and words, so that no one depends on colour.

In a crowd the nearest come first: who is farther off gets a shorter label, aside of theirs, or none.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2

from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.model_store import load_manifest

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE = (255, 255, 255)
_REFERENCE_HEIGHT = 480  # lines and letters keep their share of the picture
_SMALL = 0.75  # of the usual letters, for who is far and where there is little room
_FAR = 80.0  # width in pixels of a face at letters of size 1, below which it is a far one

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True)
class Label:
    """Words on a strip."""

    text: str
    size: float
    strip: Rectangle
    origin: tuple[int, int]


def draw_detections(image: Image, detections: Iterable[Detection]) -> Image:
    """Return a copy of a BGR image with every detection drawn on it, the nearest before all others."""
    canvas = image.copy()
    scale = max(min(canvas.shape[:2]) / _REFERENCE_HEIGHT, 0.5)
    line = max(1, round(2 * scale))
    colours = {info.id: info.colour for info in load_manifest().classes}
    nearest = sorted(detections, key=lambda one: -one.box[2] * one.box[3])
    boxes = [_rectangle(one.box) for one in nearest]
    labels = place_labels(nearest, boxes, scale / 2, canvas.shape[1::-1])
    for one, box, label in reversed(list(zip(nearest, boxes, labels, strict=True))):
        cv2.rectangle(canvas, box[:2], box[2:], colours[one.class_id], line)
        if label:
            cv2.rectangle(canvas, label.strip[:2], label.strip[2:], colours[one.class_id], cv2.FILLED)
            thickness = max(1, line // 2)
            cv2.putText(canvas, label.text, label.origin, _FONT, label.size, _WHITE, thickness, cv2.LINE_AA)
    return canvas


def place_labels(
    nearest: Sequence[Detection], boxes: Sequence[Rectangle], size: float, picture: tuple[int, int]
) -> list[Label | None]:
    """Return a label for each that covers no other label and, if that can be, nobody's face.

    Else it covers nobody nearer; None where there is no room for that either.
    """
    labels: list[Label | None] = []
    for number, (one, box) in enumerate(zip(nearest, boxes, strict=True)):
        tried = list(_tried(one, box, size, picture))
        strips = [label.strip for label in labels if label]
        others = [*boxes[:number], *boxes[number + 1 :]]
        labels.append(
            _first_free(tried, others + strips) or _first_free(tried[::-1], boxes[:number] + strips)
        )
    return labels


def _first_free(labels: Sequence[Label], taken: Sequence[Rectangle]) -> Label | None:
    return next((one for one in labels if not any(_meet(one.strip, other) for other in taken)), None)


def _tried(one: Detection, box: Rectangle, size: float, picture: tuple[int, int]) -> Iterator[Label]:
    """Yield labels, the best first: long before short ones, above the face before below it."""
    title = next(info.title for info in load_manifest().classes if info.id == one.class_id)
    person = f"{one.id}: " if one.id else ""
    full, short = f"{person}{title} {one.score:.0%}", f"{person}{one.class_id.replace('_', ' ')}"
    small = _SMALL * size
    far = box[2] - box[0] < _FAR * size
    for text, letters in ((full, small if far else size), (full, small), (short, small)):
        yield from _around(text, letters, box, picture)


def _around(text: str, size: float, box: Rectangle, picture: tuple[int, int]) -> Iterator[Label]:
    """Yield a label above and below the box, at its left and at its right end, within the picture."""
    (text_width, text_height), below = cv2.getTextSize(text, _FONT, size, max(1, round(2 * size)))
    width, height = text_width + below, text_height + 2 * below
    left, top, right, bottom = box
    lower = min(bottom, picture[1] - height)
    for y in (top - height, lower) if top >= height else (lower,):
        for x in (left, right - width):
            x = max(0, min(x, picture[0] - width))
            yield Label(text, size, (x, y, x + width, y + height), (x + below // 2, y + height - below))


def _rectangle(box: tuple[float, ...]) -> Rectangle:
    x, y, width, height = (round(value) for value in box)
    return x, y, x + width, y + height


def _meet(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
