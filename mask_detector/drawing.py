"""Draw detections: a box in the colour of the class, and words, so that no one depends on colour."""

from collections.abc import Iterable

import cv2

from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.model_store import load_manifest

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE = (255, 255, 255)
_REFERENCE_HEIGHT = 480  # lines and letters keep their share of the picture


def draw_detections(image: Image, detections: Iterable[Detection]) -> Image:
    """Return a copy of a BGR image with every detection drawn on it."""
    canvas = image.copy()
    classes = {info.id: info for info in load_manifest().classes}
    for detection in detections:
        info = classes[detection.class_id]
        _draw(canvas, detection.box, _label(detection, info.title), info.colour)
    return canvas


def _label(detection: Detection, title: str) -> str:
    person = f"{detection.id}: " if detection.id else ""
    return f"{person}{title} {detection.score:.0%}"


def _draw(canvas: Image, box: tuple[float, ...], label: str, colour: tuple[int, int, int]) -> None:
    scale = max(min(canvas.shape[:2]) / _REFERENCE_HEIGHT, 0.5)
    line = max(1, round(2 * scale))
    x, y, width, height = (round(value) for value in box)
    cv2.rectangle(canvas, (x, y), (x + width, y + height), colour, line)
    (text_width, text_height), below = cv2.getTextSize(label, _FONT, scale / 2, max(1, line // 2))
    strip = text_height + 2 * below
    left = max(0, min(x, canvas.shape[1] - text_width - below))
    top = y - strip if y >= strip else min(y + height, canvas.shape[0] - strip)
    cv2.rectangle(canvas, (left, top), (left + text_width + below, top + strip), colour, cv2.FILLED)
    origin = (left + below // 2, top + strip - below)
    cv2.putText(canvas, label, origin, _FONT, scale / 2, _WHITE, max(1, line // 2), cv2.LINE_AA)
