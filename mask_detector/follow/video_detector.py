"""The core for videos and cameras: detections whose people keep their ids from frame to frame."""

from dataclasses import dataclass, replace

import numpy as np

from mask_detector.background import are_people
from mask_detector.boxes import Boxes, clip_boxes
from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.face_detectors import Faces
from mask_detector.follow.association import NOBODY, Rows
from mask_detector.follow.people import People
from mask_detector.pipeline import MaskDetector


@dataclass(frozen=True)
class Seen:
    """Who is in a frame, leftmost first.

    Attributes:
        people: with ids and with the scores settled over time.
        raw: the same people with the scores of this frame alone.
        boxes: of all faces found, also those too uncertain, small or large to count, shape (N, 4).
    """

    people: list[Detection]
    raw: list[Detection]
    boxes: Boxes


@dataclass(frozen=True)
class _Look:
    """What the classifier said of somebody, how sure it was of a face, and when, in seconds."""

    time: float
    detection: Detection
    face: float


class VideoDetector:
    """Finds, classifies and follows the people in one stream of images.

    Uncertain faces are looked for too, but only those are classified that continue somebody. What the
    classifier thinks of a find as a face counts with the score: who is new needs more of both.

    Args:
        detector: its search's score threshold is that for new people.
        people: who is followed; what `see` returns is to be learned there.
    """

    def __init__(self, detector: MaskDetector, people: People) -> None:
        self._detector = detector
        self.people = people
        self._last_looks: dict[str, _Look] = {}

    def see(self, image: Image, time: float) -> Seen:
        """Return who is in a BGR image of shape (height, width, 3) taken at `time` seconds."""
        least_score = self.people.following.score_threshold
        threshold = self._detector.face_detector.search.score_threshold
        found = self._detector.find(image, least_score)
        faces = self._detector.counting(found, min(threshold, least_score))
        boxes = clip_boxes(faces[:, :4], *image.shape[1::-1])
        certain = faces[:, 14] >= threshold
        rows = self.people.find(boxes, certain, time)
        keep = certain | (rows != NOBODY)
        least = np.where(rows == NOBODY, threshold, min(threshold, least_score))
        looks = self._look(image, faces[keep], rows[keep], time)
        probabilities = np.array([look.face for look in looks])
        which = np.flatnonzero(are_people(faces[keep, 14], probabilities, least[keep]))
        looks = [looks[number] for number in which]
        pairs = zip(looks, boxes[keep][which].tolist(), strict=True)
        now = [replace(look.detection, box=tuple(box)) for look, box in pairs]
        people = self.people.see(rows[keep][which], now, time)
        ids = [person.id for person in people]
        self._last_looks = dict(zip(ids, looks, strict=True))
        raw = [replace(one, id=name) for one, name in zip(now, ids, strict=True)]
        return Seen(people, raw, found[:, :4])

    def _look(self, image: Image, faces: Faces, rows: Rows, time: float) -> list[_Look]:
        """Return a look at each face, new or the last one."""
        looks = [self._lasting(state, time) for state in self.people.settled(rows)]
        due = np.flatnonzero([look is None for look in looks])
        new = iter(zip(*self._detector.classify(image, faces[due]), strict=True))
        return [look or _Look(time, *next(new)) for look in looks]

    def _lasting(self, state: Detection | None, time: float) -> _Look | None:
        """Return the last look at somebody whose state is settled, if it was just now and confirmed that.

        After one that speaks against it every frame is looked at again: it may be the beginning of a change.
        """
        look = self._last_looks.get(state.id) if state else None
        lasts = look and 0 <= time - look.time < self.people.following.look_interval
        return look if lasts and look.detection.class_id == state.class_id else None
