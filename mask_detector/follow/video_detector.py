"""The core for videos and cameras: detections whose people keep their ids from frame to frame."""

from dataclasses import dataclass, replace

from mask_detector.boxes import Boxes, clip_boxes
from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.follow.association import NOBODY
from mask_detector.follow.people import People
from mask_detector.pipeline import MaskDetector


@dataclass(frozen=True)
class Seen:
    """Who is in a frame, leftmost first.

    Attributes:
        people: with ids and with the scores settled over time.
        raw: the same people with the scores of this frame alone.
        boxes: of all faces found, also those too uncertain to count, shape (N, 4).
    """

    people: list[Detection]
    raw: list[Detection]
    boxes: Boxes


class VideoDetector:
    """Finds, classifies and follows the people in one stream of images.

    Uncertain faces are looked for too, but only those are classified that continue somebody.

    Args:
        detector: its search's score threshold is that for new people.
        people: who is followed; what `see` returns is to be learned there.
    """

    def __init__(self, detector: MaskDetector, people: People) -> None:
        self._detector = detector
        self.people = people

    def see(self, image: Image, time: float) -> Seen:
        """Return who is in a BGR image of shape (height, width, 3) taken at `time` seconds."""
        faces = self._detector.find(image, self.people.following.score_threshold)
        certain = faces[:, 14] >= self._detector.face_detector.search.score_threshold
        rows = self.people.find(clip_boxes(faces[:, :4], *image.shape[1::-1]), certain, time)
        keep = certain | (rows != NOBODY)
        found, are_people = self._detector.classify(image, faces[keep])
        people = self.people.see(rows[keep][are_people], found, time)
        pairs = zip(found, people, strict=True)
        return Seen(people, [replace(one, id=person.id) for one, person in pairs], faces[:, :4])
