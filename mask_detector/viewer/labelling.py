"""The labelling loop: faces of which the model is least sure wait in a folder until a person names them.

    FOLDER/waiting/0.512_mask_20260131-120000_1f3a.jpg    score, guess, when
    FOLDER/labelled/improper_mask/…                       what `training.dataset import folders` reads

A picture is moved, never copied or changed, so that a kill leaves each in one place.
"""

import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mask_detector.crops import Image, crop_faces
from mask_detector.detection import Detection
from mask_detector.errors import MaskDetectorError
from mask_detector.image_conversion import to_jpeg
from mask_detector.model_store import load_manifest

_SURE = 0.9  # score from which a face teaches the model little
_LEAST_SIDE = 32.0  # pixels of a face's shorter side
_AGAIN = 10.0  # seconds until the same person is kept again
_MARGIN, _MOST_SIDE = 2.0, 512  # of the picture around the face: training looks for the face in it
_QUALITY = 95
_NAME = re.compile(r"(?P<score>[01]\.\d{3})_(?P<guess>[a-z_]+)_(?P<when>\d{8}-\d{6})_[0-9a-f]{8}\.jpg")


@dataclass(frozen=True)
class Waiting:
    """A face that nobody has named: its file's name, and what the model takes it for."""

    name: str
    guess: str
    score: float


class Labelling:
    """The folder. Its functions read and write files, and belong in a worker thread.

    Args:
        folder: made if it does not exist.
        most: how many faces may wait; the surest then make room for less sure ones.

    Raises:
        MaskDetectorError: the folder cannot be written.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder = folder
        self.most = most
        self._waiting = folder / "waiting"
        self._labelled = folder / "labelled"
        self._class_ids = load_manifest().class_ids
        self._kept: dict[tuple[str, str], float] = {}
        try:
            self._waiting.mkdir(parents=True, exist_ok=True)
            for class_id in self._class_ids:
                (self._labelled / class_id).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MaskDetectorError(
                f"folder '{folder}' cannot be written ({error.strerror}): name another"
            ) from error

    def waiting(self) -> list[Waiting]:
        """Return what waits, least sure first."""
        found = (_NAME.fullmatch(path.name) for path in sorted(self._waiting.iterdir()))
        return [Waiting(match[0], match["guess"], float(match["score"])) for match in found if match]

    def labelled(self) -> dict[str, int]:
        """Return how many there are of each class."""
        return {
            class_id: len(list((self._labelled / class_id).glob("*.jpg"))) for class_id in self._class_ids
        }

    def keep(
        self, camera: str, image: Image, people: Sequence[Detection], glances: Sequence[Detection]
    ) -> None:
        """Keep the faces of a BGR image that teach something.

        Args:
            people: who is on it, with their ids.
            glances: the same people with the scores of this image alone.
        """
        for person, glance in zip(people, glances, strict=True):
            if (
                glance.score < _SURE
                and min(glance.box[2:]) >= _LEAST_SIDE
                and self._is_new(camera, person.id)
            ):
                self._keep(image, glance)

    def _is_new(self, camera: str, person: str) -> bool:
        now = time.monotonic()
        self._kept = {key: at for key, at in self._kept.items() if now - at < _AGAIN}
        return self._kept.setdefault((camera, person), now) == now

    def _keep(self, image: Image, glance: Detection) -> None:
        waiting = self.waiting()
        surest = waiting[-1] if len(waiting) >= self.most else None
        if surest and glance.score >= surest.score:
            return
        side = min(_MOST_SIDE, max(1, round(max(glance.box[2:]) * _MARGIN)))
        (crop,) = crop_faces(image, [glance.box], side, _MARGIN)
        when = time.strftime("%Y%m%d-%H%M%S")
        name = f"{glance.score:.3f}_{glance.class_id}_{when}_{uuid.uuid4().hex[:8]}.jpg"
        partial = self._waiting / f".{name}"
        try:
            partial.write_bytes(to_jpeg(np.ascontiguousarray(crop[..., ::-1]), _QUALITY))
            partial.replace(self._waiting / name)
        finally:  # on a full disk a part of it
            partial.unlink(missing_ok=True)
        if surest:
            (self._waiting / surest.name).unlink(missing_ok=True)

    def read(self, name: str) -> bytes:
        """Return the JPEG of a face that waits; raise MaskDetectorError if there is none of that name."""
        path = self._path(self._waiting, name)
        if not path.is_file():
            raise MaskDetectorError("this face waits no more")
        return path.read_bytes()

    def decide(self, name: str, class_id: str | None) -> None:
        """Move a face to a class, or delete it (None).

        Raises:
            MaskDetectorError: there is no such class, or no such face waits.
        """
        path = self._path(self._waiting, name)
        if class_id is not None and class_id not in self._class_ids:
            raise MaskDetectorError(f"no class '{class_id}': choose one of {', '.join(self._class_ids)}")
        try:
            if class_id is None:
                path.unlink()
            else:
                path.replace(self._labelled / class_id / name)
        except FileNotFoundError:
            raise MaskDetectorError("this face waits no more") from None

    def undo(self, name: str, class_id: str) -> None:
        """Let a face wait again; raise MaskDetectorError if it is not there."""
        if class_id not in self._class_ids:
            raise MaskDetectorError(f"no class '{class_id}': choose one of {', '.join(self._class_ids)}")
        try:
            self._path(self._labelled / class_id, name).replace(self._waiting / name)
        except FileNotFoundError:
            raise MaskDetectorError("this face is not there any more") from None

    def _path(self, folder: Path, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise MaskDetectorError("no face has such a name")
        return folder / name
