"""What may be done with the faces of one camera: shown, blurred, cut out, kept for labelling.

As long as it is not known that the detector does not blur them, they are treated as if it did.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mask_detector.blurring import blur_faces
from mask_detector.crops import Image, crop_faces
from mask_detector.detection import Detection
from mask_detector.errors import ImageError
from mask_detector.follow import LEFT
from mask_detector.image_conversion import compressed_to_bgr, to_jpeg
from mask_detector.model_store import load_manifest
from mask_detector.viewer.live import Change

Stamp = tuple[int, int]
Collect = Callable[[str, Image, Sequence[Detection]], None]

_CROP_SIDE, _CROP_MARGIN = 96, 1.3
_COLLECT_EVERY = 0.5  # seconds
_FRAMES = 6  # images kept until their detections come
_ARRAYS = 30  # detections kept until their annotated image comes


@dataclass(frozen=True)
class Policy:
    """What the operator allows.

    Attributes:
        blur: whether faces are blurred in all that leaves the process, whatever the detectors do.
        crops: whether the faces of changes are shown.
        collect: takes (camera, image, people) for labelling; None if that is not allowed.
    """

    blur: bool = False
    crops: bool = False
    collect: Collect | None = None


class Faces:
    """Remembers the last images and detections of a camera, to bring them together by their stamps.

    Attributes:
        blurred_at_source: whether the detector blurs faces itself; None if that is not known.
    """

    def __init__(self, camera: str, policy: Policy) -> None:
        self.blurred_at_source: bool | None = None
        self._camera, self._policy = camera, policy
        self._classes = {*load_manifest().class_ids, LEFT}
        self._images: deque[tuple[Stamp, Callable[[], Image]]] = deque(maxlen=_FRAMES)
        self._people: deque[tuple[Stamp, list[Detection]]] = deque(maxlen=_ARRAYS)
        self._collected = 0.0

    @property
    def wanted(self) -> bool:
        """Whether the camera's own images are needed at all."""
        return self._policy.crops or self._policy.collect is not None

    @property
    def _private(self) -> bool:
        return self._policy.blur or self.blurred_at_source is not False

    def keep(self, stamp: Stamp, read: Callable[[], Image]) -> None:
        """Remember an image for a moment."""
        self._images.append((stamp, read))

    def seen(self, stamp: Stamp, people: Sequence[Detection]) -> list[Detection]:
        """Take in who is in a frame; return those with a class that is known."""
        known = [one for one in people if one.scores and one.class_id in self._classes]
        self._people.append((stamp, known))
        self._collect(stamp, known)
        return known

    def changes(self, stamp: Stamp, people: Sequence[Detection]) -> list[Change]:
        """Return changes with the faces, if these are allowed."""
        return [
            Change(self._camera, one.id[:16], one.class_id, time.time(), self._crop(stamp, one))
            for one in people
            if one.scores and one.class_id in self._classes
        ]

    def presentable(self, stamp: Stamp, jpeg: bytes) -> bytes:
        """Return an annotated image as it may be shown, empty if it may not.

        One that the detector says it has blurred is blurred all the same: what it says may be out of date.
        """
        if not self._policy.blur:
            return jpeg
        people = self._at(stamp)
        if people is None:
            return b""
        try:
            image = compressed_to_bgr(jpeg)
        except ImageError:
            return b""
        return bytes(to_jpeg(blur_faces(image, [one.box for one in people])))

    def _at(self, stamp: Stamp) -> list[Detection] | None:
        return next((people for at, people in reversed(self._people) if at == stamp), None)

    def _image(self, stamp: Stamp) -> Image | None:
        read = next((read for at, read in reversed(self._images) if at == stamp), None)
        try:
            return read() if read else None
        except ImageError:
            return None

    def _crop(self, stamp: Stamp, person: Detection) -> bytes:
        image = self._image(stamp) if self._policy.crops and person.class_id != LEFT else None
        if image is None:
            return b""
        if self._private:
            image = blur_faces(image, [one.box for one in (person, *(self._at(stamp) or ()))])
        (crop,) = crop_faces(image, [person.box], _CROP_SIDE, _CROP_MARGIN)
        return bytes(to_jpeg(np.ascontiguousarray(crop[..., ::-1])))

    def _collect(self, stamp: Stamp, people: Sequence[Detection]) -> None:
        now = time.monotonic()
        if not self._policy.collect or self._private or not people or now - self._collected < _COLLECT_EVERY:
            return
        image = self._image(stamp)
        if image is not None:
            self._collected = now
            self._policy.collect(self._camera, image.copy(), people)
