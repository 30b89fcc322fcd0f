"""People keep their ids, and what they wear is told once: the core, without ROS."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from crowd import PEOPLE, as_detection, crowd

from mask_detector.classifiers import make_classifier
from mask_detector.demo_clip import make_demo_clip
from mask_detector.detection import Detection
from mask_detector.face_detectors import make_face_detector
from mask_detector.follow import LEFT, Following, People, VideoDetector
from mask_detector.follow.settling import clarity
from mask_detector.frame_sources import open_source
from mask_detector.pipeline import MaskDetector

CLASSES = ("mask", "improper_mask", "no_mask")
Place = tuple[float, float]


def face(place: Place, class_id: str = "mask", score: float = 0.96) -> Detection:
    """A face of 100 pixels with its centre at a place."""
    others = (1 - score) / 2
    scores = {class_id: score} | {name: others for name in CLASSES if name != class_id}
    return Detection((place[0] - 50, place[1] - 50, 100, 100), scores)


class Stream:
    """Frames of made-up faces, at 10 a second."""

    def __init__(self, **following: float) -> None:
        self.people = People(CLASSES, Following(**following))
        self.time = 1000.0
        self.changes: list[tuple[str, str]] = []

    def frame(self, *faces: Detection, scores: Sequence[float] = (), step: float = 0.1) -> list[str]:
        """Show the faces; return their ids, "" for those that are left out."""
        self.time += step
        certain = np.array([score >= 0.6 for score in scores or [0.9] * len(faces)], bool)
        rows = self.people.find(np.array([one.box for one in faces]).reshape(-1, 4), certain, self.time)
        keep = certain | (rows >= 0)
        found = [one for one, kept in zip(faces, keep, strict=True) if kept]
        self.seen = self.people.see(rows[keep], found, self.time)
        changes = self.people.learn(self.seen, self.time)
        self.changes += [(one.id, one.class_id) for one in changes]
        ids = iter(one.id for one in self.seen)
        return [next(ids) if kept else "" for kept in keep]

    def wears(self, class_id: str, seconds: float, score: float = 0.96) -> list[str]:
        """Show one person for a while; return the class told in each frame."""
        told = []
        for _ in range(round(seconds * 10)):
            self.frame(face((300, 200), class_id, score))
            told.append(self.seen[0].class_id)
        return told


def walk(x: float, speed: float, frames: int) -> Iterable[Place]:
    return [(x + speed * number / 10, 200.0) for number in range(frames)]


@pytest.mark.parametrize("speed", [0, 80, -250, 500], ids=["still", "slow", "brisk", "running"])
def test_who_moves_keeps_the_id(speed):
    stream = Stream()
    assert {stream.frame(face(place))[0] for place in walk(700, speed, 30)} == {"1"}


@pytest.mark.parametrize("unseen", [1, 3, 12])
def test_who_is_hidden_for_a_moment_keeps_the_id(unseen):
    stream = Stream()
    places = list(walk(100, 150, 20 + unseen))
    for place in places[:19]:
        stream.frame(face(place))
    for _ in range(unseen):
        stream.frame()
    assert stream.frame(face(places[-1])) == ["1"]


@pytest.mark.parametrize("unseen", [3.0, 8.0])
@pytest.mark.parametrize("frames", [True, False], ids=["frames go on", "no frames meanwhile"])
def test_who_comes_back_within_a_long_patience_keeps_the_id(unseen, frames):
    kept = []
    for seed in range(10):
        random, stream = np.random.default_rng(seed), Stream(patience=30.0)
        for place in random.normal((300, 200), 5, (40, 2)):  # a still face, whose boxes scatter
            stream.frame(face(tuple(place)))
        for _ in range(round(unseen * 10) if frames else 0):
            stream.frame()
        kept.append(stream.frame(face((300, 200)), step=0.1 if frames else unseen) == ["1"])
    assert all(kept)


@pytest.mark.parametrize("order", [1, -1])
def test_two_who_cross_keep_their_ids(order):
    stream, first, second = Stream(), *("1", "2")[::order]
    for (x, _), (other, _) in zip(walk(100, 250, 25), walk(700, -250, 25), strict=True):
        hidden = abs(x - other) < 60
        faces = [face((x, 200))] + ([] if hidden else [face((other, 210))])
        ids = stream.frame(*faces[::order])[::order]
        assert ids == ([first] if hidden else [first, second])


def test_an_uncertain_find_continues_somebody_and_begins_nobody():
    stream = Stream()
    assert stream.frame(face((100, 100)), face((400, 100)), scores=[0.9, 0.4]) == ["1", ""]
    assert stream.frame(face((104, 100)), face((400, 100)), scores=[0.4, 0.4]) == ["1", ""]


@pytest.mark.parametrize("step", [3.0, 3600.0, -3600.0], ids=["gap", "long gap", "time jumps back"])
def test_an_id_never_comes_back(step):
    stream = Stream()
    assert stream.wears("mask", 2) and stream.changes == [("1", "mask")]
    assert stream.frame(face((300, 200)), step=step) == ["2"]
    assert stream.changes == [("1", "mask"), ("1", LEFT)]
    assert [(one.id, one.class_id) for one in stream.people.forget()] == []
    assert stream.frame(face((300, 200))) == ["3"]


def test_a_frame_out_of_order_or_sent_twice_changes_nothing():
    stream = Stream()
    stream.wears("mask", 1)
    before = stream.seen[0].scores
    for step in (0.0, 0.0, -0.1):
        assert stream.frame(face((300, 200), "no_mask"), step=step) == ["1"]
        assert stream.seen[0].scores == pytest.approx(before, abs=1e-6)


def test_nobody_for_ever_costs_nothing():
    stream = Stream()
    for _ in range(50):
        assert stream.frame() == []
    assert stream.changes == []


@pytest.mark.parametrize("rate", [7.5, 15.0, 30.0])
def test_no_id_is_switched_in_a_crowd_in_a_minute(rate):
    stream, ids = Stream(), {}
    before = 0.0
    for time, found in crowd(seed=3, seconds=60, rate=rate):
        faces = [as_detection(box) for box, _ in found.values()]
        now = stream.frame(*faces, scores=[score for _, score in found.values()], step=time - before)
        before = time
        for person, name in zip(found, now, strict=True):
            assert not name or ids.setdefault(person, name) == name, f"person {person} at {time:.2f} s"
    assert len(ids) == PEOPLE


@pytest.mark.parametrize(
    ("story", "told"),
    [
        ([("mask", 1)], ["mask"]),
        ([("mask", 0.3)], []),
        ([("mask", 1), ("no_mask", 1)], ["mask", "no_mask"]),
        ([("mask", 1), ("no_mask", 0.1), ("mask", 1)], ["mask"]),
        ([("mask", 1), ("no_mask", 0.1), ("improper_mask", 0.1), ("mask", 1)], ["mask"]),
        ([("mask", 1), ("improper_mask", 0.2), ("no_mask", 1)], ["mask", "no_mask"]),
        ([("mask", 1)] + [("no_mask", 0.1), ("mask", 0.2)] * 10, ["mask"]),
        ([("mask", 60), ("no_mask", 0.7)], ["mask", "no_mask"]),
    ],
)
def test_states_settle_and_change_once(story, told):
    stream = Stream()
    for class_id, seconds in story:
        stream.wears(class_id, seconds)
    assert [class_id for _, class_id in stream.changes] == told


def test_what_hovers_between_two_classes_does_not_flicker():
    stream, rng = Stream(), np.random.default_rng(5)
    stream.wears("mask", 1)
    told = [stream.wears(str(rng.choice(CLASSES[:2])), 0.1, 0.55)[0] for _ in range(300)]
    raw_changes = 150
    assert sum(one != other for one, other in zip(told, told[1:], strict=False)) < raw_changes / 10


def test_who_is_told_is_who_is_seen():
    """The first class of a person in the detections is always what was told last."""
    stream, rng, told = Stream(), np.random.default_rng(7), ""
    for _ in range(400):
        class_id = str(rng.choice(CLASSES))
        for _ in range(int(rng.integers(1, 8))):
            (now,) = stream.wears(class_id, 0.1, float(rng.uniform(0.5, 1)))
            told = stream.changes[-1][1] if stream.changes else ""
            assert not told or now == told
            assert sum(stream.seen[0].scores.values()) == pytest.approx(1)


@pytest.mark.parametrize(("settle_time", "frames"), [(0.1, 2), (0.4, 4), (2.0, 20)])
def test_the_time_to_settle_can_be_set(settle_time, frames):
    stream = Stream(settle_time=settle_time)
    told = [bool(stream.changes or stream.frame(face((300, 200))) and stream.changes) for _ in range(40)]
    assert told.index(True) == pytest.approx(frames, abs=1)


def test_who_leaves_is_told_with_the_last_place():
    stream = Stream(patience=0.5)
    stream.wears("no_mask", 1)
    stream.frame(face((310, 200), "no_mask"))
    for _ in range(8):
        stream.frame()
    assert stream.changes == [("1", "no_mask"), ("1", LEFT)]
    stream.wears("no_mask", 1)
    (left,) = stream.people.forget()
    assert left == Detection(face((300, 200)).box, {LEFT: 1.0}, "2")


def test_what_was_recorded_can_be_learned_instead():
    stream, resumed = Stream(), Stream()
    for place in walk(100, 150, 10):
        stream.frame(face(place))
        resumed.time = stream.time
        resumed.people.learn(stream.seen, stream.time)
    assert stream.frame(face((250, 200)), face((600, 200))) == ["1", "2"]
    assert resumed.frame(face((250, 200)), face((600, 200))) == ["1", "2"]
    assert resumed.seen == stream.seen


@pytest.fixture(scope="module")
def detector() -> MaskDetector:
    return MaskDetector(make_face_detector(), make_classifier())


def follow(detector: MaskDetector, clip: Path) -> tuple[list[list[Detection]], list[tuple[float, str, str]]]:
    """The people of each frame of a clip, and what was told when."""
    video = VideoDetector(detector, People(detector.class_ids))
    seen, told = [], []
    with open_source(str(clip)) as source:
        for frame in source:
            seen.append(video.see(frame.image, frame.time).people)
            changes = video.people.learn(seen[-1], frame.time)
            told += [(frame.time, one.id, one.class_id) for one in changes]
    return seen, told


def test_a_real_person_keeps_one_id_and_each_change_is_told_once(detector, shared_data):
    seen, told = follow(detector, shared_data / "clips" / "one_person_mask_on_off.mp4")
    assert {tuple(one.id for one in people) for people in seen} == {("1",)}
    assert [class_id for _, _, class_id in told] == ["no_mask", "mask", "no_mask"]
    delays = [time - change for (time, *_), change in zip(told, (0.0, 1.0, 3.87), strict=True)]
    assert max(delays) <= 0.7


def test_a_clip_of_drawn_masks_is_told_change_by_change(detector, tmp_path):
    seen, told = follow(detector, make_demo_clip(tmp_path / "clip.mp4"))
    assert {one.id for people in seen for one in people} == {"1"}
    story = [("no_mask", 0.0), ("mask", 2.5), ("improper_mask", 5.0), ("mask", 7.5)]
    story += [("improper_mask", 9.5), ("no_mask", 12.0)]
    assert [class_id for *_, class_id in told] == [class_id for class_id, _ in story]
    assert all(0 <= time - change <= 0.7 for (time, *_), (_, change) in zip(told, story, strict=True))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((600, 600, 160, 200), 1.0),  # elsewhere
        ((180, 340, 160, 200), 0.0),  # nearer: the hair reaches to the nose
        ((180, 120, 60, 80), 1.0),  # farther away
        ((260, 340, 160, 200), 0.75),  # nearer, over a quarter of it
    ],
)
def test_a_face_half_behind_a_nearer_head_counts_less(other: tuple, expected: float):
    assert clarity(((200, 200, 80, 100), other))[0] == pytest.approx(expected, abs=0.01)


def test_in_a_street_nobody_is_told_to_change(detector, shared_data):
    seen, told = follow(detector, shared_data / "clips" / "street_crowd_front_masked.mp4")
    ids = {one.id for people in seen for one in people}
    assert len(ids) <= 20, "some dozen people are there"
    states = [name for _, name, class_id in told if class_id != LEFT]
    assert len(states) == len(set(states)), "nobody there puts a mask on or takes it off"
