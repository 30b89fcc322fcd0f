"""Classifies single pictures: one after another, in a thread of its own, with models loaded at the first."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, TypeVar

import cv2
import numpy as np

from mask_detector.blurring import blur_faces
from mask_detector.classifiers import make_classifier
from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.drawing import draw_detections
from mask_detector.errors import MaskDetectorError
from mask_detector.face_detectors import make_face_detector
from mask_detector.image_conversion import decoded, to_jpeg
from mask_detector.model_store import find_classifier
from mask_detector.pipeline import MaskDetector
from mask_detector.viewer.uploads import require_picture

_MOST_WAITING = 8  # pictures
_LONGEST_SIDE = 1280  # pixels of the picture that is sent back

Result = TypeVar("Result")


class Busy(MaskDetectorError):
    """Too many pictures wait already."""


class Examiner:
    """The core of the package for who has a picture and no camera; nothing is kept.

    Args:
        classifier: as `make_classifier` takes it.

    Raises:
        MaskDetectorError: there is no such classifier.
    """

    def __init__(self, classifier: str = "") -> None:
        find_classifier(classifier)  # a wrong name shows at once: models are loaded at the first picture
        self._classifier = classifier
        self._thread = ThreadPoolExecutor(1, "examiner")
        self._waiting = 0

    async def examine(self, content: bytes, blurred: bool) -> dict[str, Any]:
        """Return who is in an encoded picture, and the picture with that drawn on it as base64 JPEG.

        Raises:
            ImageError: it is no picture, damaged, or too large.
            Busy: too many pictures wait already.
        """
        require_picture(content)
        return await self._run(lambda: _examine(self._detector, content, blurred))

    async def glances(
        self, image: Image, people: Sequence[Detection]
    ) -> tuple[list[Detection], list[Detection]]:
        """Return those who are people in this image, and the same with the scores of it alone."""
        boxes = np.array([one.box for one in people], np.float32)
        found, faces = await self._run(lambda: self._detector.classify(image, boxes))
        which = np.flatnonzero(faces)
        return [people[number] for number in which], [found[number] for number in which]

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= _MOST_WAITING:
            raise Busy("too many pictures at once: try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    @cached_property
    def _detector(self) -> MaskDetector:
        return MaskDetector(make_face_detector(), make_classifier(self._classifier, threads=1))

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


def _examine(detector: MaskDetector, content: bytes, blurred: bool) -> dict[str, Any]:
    image = decoded(content)
    faces = detector.find(image)
    found = detector.people(image, faces)
    shown = blur_faces(image, faces[:, :4]) if blurred else image
    drawn = _shrunk(draw_detections(shown, found))
    height, width = image.shape[:2]
    jpeg = base64.b64encode(to_jpeg(drawn)).decode()
    return {"width": width, "height": height, "detections": [one.to_json() for one in found], "jpeg": jpeg}


def _shrunk(image: Image) -> Image:
    scale = _LONGEST_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
