"""Not every frame needs a new look at who is settled: fewer looks, the same people and changes."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from mask_detector.classifiers import make_classifier
from mask_detector.crops import Image
from mask_detector.demo_clip import LANDMARKS, portrait
from mask_detector.detection import Detection
from mask_detector.face_detectors import FaceSearch, make_face_detector
from mask_detector.follow import Following, People, VideoDetector
from mask_detector.mask_drawing import PROPER, draw_mask
from mask_detector.pipeline import MaskDetector

STEP = 1 / 20  # seconds between two frames
BARE = portrait()[:240, :400]
MASKED = draw_mask(portrait(), LANDMARKS, PROPER)[:240, :400]
PAIR = np.hstack([BARE, MASKED])


class Watcher:
    """Shows pictures one after another, and counts at how many faces the classifier looks.

    Attributes:
        told: when whose state began or changed, and to what.
    """

    def __init__(self, interval: float) -> None:
        self._detector = MaskDetector(make_face_detector(), make_classifier())
        self.video = VideoDetector(
            self._detector, People(self._detector.class_ids, Following(look_interval=interval))
        )
        self.time = 0.0
        self.told: list[tuple[float, str]] = []
        self._looks = 0
        classify = self._detector.classifier.classify

        def counted(crops: Image) -> np.ndarray:
            self._looks += len(crops)
            return classify(crops)

        self._detector.classifier.classify = counted

    def show(self, image: Image, frames: int) -> int:
        """Return at how many faces it looked."""
        before = self._looks
        for number in range(frames):
            self.time += STEP
            moved = np.roll(image, number % 2, axis=1)
            self.seen = self.video.see(moved, self.time)
            changes = self.video.people.learn(self.seen.people, self.time)
            self.told += [(round(self.time, 3), one.class_id) for one in changes]
        return self._looks - before


def test_by_default_every_face_is_looked_at_in_every_frame():
    watcher = Watcher(Following().look_interval)
    assert watcher.show(PAIR, 20) == 40


def test_who_is_settled_is_looked_at_once_in_an_interval_and_the_box_moves_on():
    watcher = Watcher(0.2)
    assert watcher.show(BARE, 12) >= 9  # until the state is settled, each frame
    places = set()
    looks = 0
    for _ in range(10):
        looks += watcher.show(BARE, 2)
        places.add(watcher.seen.people[0].box)
    assert 4 <= looks <= 6  # in a second
    assert len(watcher.told) == 1 and watcher.seen.people[0].class_id == "no_mask"
    shown = watcher.video._detector.find(np.roll(BARE, 1, axis=1))[0, :4]
    assert watcher.seen.people[0].box == pytest.approx(shown.tolist())
    assert (watcher.seen.raw[0].id, watcher.seen.raw[0].box) == ("1", watcher.seen.people[0].box)


def test_who_comes_is_looked_at_in_each_frame_beside_who_is_settled():
    watcher = Watcher(2.0)
    watcher.show(np.hstack([BARE, np.full_like(BARE, 128)]), 12)
    assert watcher.show(PAIR, 4) == 4
    assert [one.class_id for one in watcher.seen.people] == ["no_mask", "mask"]


def test_a_change_is_told_at_most_an_interval_later():
    told = []
    for interval in (0.0, 0.3):
        watcher = Watcher(interval)
        watcher.show(BARE, 15)
        watcher.show(MASKED, 20)
        told.append(watcher.told)
    always, sometimes = told
    assert [name for _, name in sometimes] == [name for _, name in always] == ["no_mask", "mask"]
    assert 0 <= sometimes[1][0] - always[1][0] <= 0.3 + STEP


def test_time_that_jumps_back_brings_new_looks():
    watcher = Watcher(0.2)
    watcher.show(BARE, 20)
    watcher.time -= 100
    assert watcher.show(BARE, 3) == 3


class Doubt:
    """Finds one face in every frame, of a score and a probability of a face that are set from outside."""

    class_ids = ("mask", "improper_mask", "no_mask")
    face_detector = SimpleNamespace(search=FaceSearch())
    score, face = 0.9, 1.0

    counting = MaskDetector.counting

    def find(self, image: Image, least_score: float) -> np.ndarray:
        found = np.array([[10, 10, 80, 80, *np.zeros(10), self.score]], np.float32)
        return found[found[:, 14] >= least_score]

    def classify(self, image: Image, faces: np.ndarray) -> tuple[list[Detection], np.ndarray]:
        told = Detection((10, 10, 80, 80), {"mask": 0.98, "improper_mask": 0.01, "no_mask": 0.01})
        return [told] * len(faces), np.full(len(faces), self.face)


@pytest.mark.parametrize("interval", [0.0, 2.0])
def test_score_and_probability_of_a_face_count_together(interval):
    doubt = Doubt()
    video = VideoDetector(doubt, People(doubt.class_ids, Following(look_interval=interval)))
    number = itertools.count()

    def people(score: float, face: float, frames: int = 1) -> int:
        doubt.score, doubt.face = score, face
        for _ in range(frames):
            time = next(number) * STEP
            seen = video.see(np.zeros((120, 160, 3), np.uint8), time).people
            video.people.learn(seen, time)
        return len(seen)

    assert people(0.62, 0.9) == 0  # 0.56: nobody new
    assert people(0.9, 0.9, frames=20) == 1
    assert people(0.5, 0.9) == 1  # 0.45: continues somebody
    assert people(0.34, 0.6) == (0 if interval == 0 else 1)  # 0.20, or 0.31 by the last look
    assert people(0.34, 0.6, frames=60) == 0
