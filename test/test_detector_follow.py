"""The node follows people: ids, state changes and diagnostics, in its own process, over real DDS."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import Probe, Process, running
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from test_aggregator import analyzer, takes
from vision_msgs.msg import Detection2DArray

from mask_detector.crops import Image
from mask_detector.demo_clip import make_demo_clip
from mask_detector.frame_sources import open_source
from mask_detector.messages import to_image

NODE = "/mask_detector"
DETECTIONS = f"{NODE}/detections"
CHANGES = f"{NODE}/state_changes"
NOBODY = np.full((512, 512, 3), 128, np.uint8)


class Camera:
    """Sends images stamped as if they were taken 10 times a second."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self.publisher = probe.node.create_publisher(ImageMsg, "/image", 1)
        self.time = 1000.0

    def show(self, image: Image, times: int = 1, step: float = 0.1) -> Detection2DArray:
        """Show an image and return the last answer."""
        for _ in range(times):
            self.time += step
            header = Header(frame_id="camera")
            header.stamp.sec, header.stamp.nanosec = int(self.time), int(self.time % 1 * 1e9)
            array = self._probe.ask(self.publisher, to_image(image, header), DETECTIONS)
        return array


@pytest.fixture
def probe() -> Iterator[Probe]:
    with Probe() as probe:
        for topic in (DETECTIONS, CHANGES):
            probe.subscribe(Detection2DArray, topic, 100)
        probe.subscribe(DiagnosticArray, "/diagnostics")
        yield probe


@pytest.fixture
def camera(probe: Probe) -> Camera:
    return Camera(probe)


@pytest.fixture
def detector(probe: Probe, tmp_path: Path) -> Iterator[Process]:
    with running("detector", log=tmp_path / "detector.log") as process:
        probe.until(lambda: probe.node.count_publishers(CHANGES), "the detector")
        yield process


def told(probe: Probe, count: int) -> list[tuple[str, str]]:
    """Who changed to what, once so many changes are there; a moment longer, to see that no more come."""

    def changes() -> list[tuple[str, str]]:
        people = [one for array in probe.received[CHANGES] for one in array.detections]
        return [(one.id, one.results[0].hypothesis.class_id) for one in people]

    probe.until(lambda: len(changes()) >= count, f"{count} changes")
    probe.spin(0.3)
    return changes()


def test_a_camera_whose_stamps_stand_still_is_followed_by_its_arrivals(probe, detector, camera, astronaut):
    """Else nobody would ever settle or leave."""
    camera.show(astronaut)
    stamped = to_image(astronaut, probe.received[DETECTIONS][-1].header)

    def settled() -> bool:
        camera.publisher.publish(stamped)
        probe.spin(0.02)
        return bool(probe.received[CHANGES])

    probe.until(settled, "somebody to settle")
    assert detector.output.count("the stamps of the images stand still at 1000.1") == 1


def test_a_clip_is_told_change_by_change_and_under_one_id(probe, detector, camera, tmp_path):
    with open_source(str(make_demo_clip(tmp_path / "clip.mp4"))) as source:
        frames = [frame.image for frame in source][::2]
    for image in frames:
        (person,) = camera.show(image, step=2 / 15).detections
        assert person.id == "1"
    story = ["no_mask", "mask", "improper_mask", "mask", "improper_mask", "no_mask"]
    assert told(probe, len(story)) == [("1", state) for state in story]
    detections = {
        array.header.stamp.sec + array.header.stamp.nanosec: array for array in probe.received[DETECTIONS]
    }
    for change in probe.received[CHANGES]:
        same = detections[change.header.stamp.sec + change.header.stamp.nanosec]
        assert change.header == same.header and change.detections == same.detections


def test_who_leaves_is_told_once_with_the_last_box_and_comes_back_under_another_id(
    probe, detector, camera, astronaut
):
    (person,) = camera.show(astronaut, 8).detections
    camera.show(NOBODY, 20)
    assert told(probe, 2) == [("1", "no_mask"), ("1", "")]
    (gone,) = probe.received[CHANGES][-1].detections
    assert gone.bbox == person.bbox
    assert camera.show(astronaut).detections[0].id == "2"


def test_everybody_leaves_when_the_camera_dies(probe, detector, camera, astronaut):
    camera.show(astronaut, 8)
    assert told(probe, 1) == [("1", "no_mask")]
    for _ in range(3):  # nor does what cannot be read keep anybody there
        camera.publisher.publish(ImageMsg(encoding="bgr8"))
        probe.spin(1.0)
    assert told(probe, 2) == [("1", "no_mask"), ("1", "")]
    assert camera.show(astronaut).detections[0].id == "2"


def test_nobody_leaves_while_simulated_time_stands_still(probe, camera, astronaut, tmp_path):
    with running("detector", "--ros-args", "-p", "use_sim_time:=true", log=tmp_path / "log") as detector:
        camera.show(astronaut, 8)
        probe.until(lambda: "no image on /image for" in detector.output, "silence")
        probe.spin(2.0)
        assert camera.show(astronaut).detections[0].id == "1"


@pytest.mark.parametrize("how", ["pause", "time jumps back"])
def test_following_begins_anew_and_says_so(probe, detector, camera, astronaut, how):
    camera.show(astronaut, 8)
    if how == "pause":
        for on in (False, True):
            assert probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=on)).success
    else:
        camera.time -= 100
    assert camera.show(astronaut, 8).detections[0].id == "2"
    assert told(probe, 3) == [("1", "no_mask"), ("1", ""), ("2", "no_mask")]


def test_parameters_take_effect_at_once(probe, detector, camera, astronaut):
    smooth = camera.show(astronaut, 8).detections[0].results[0].hypothesis.score
    assert probe.set_parameter(NODE, "raw_scores", True).successful
    raw = camera.show(astronaut).detections[0].results[0].hypothesis.score
    assert probe.set_parameter(NODE, "raw_scores", False).successful
    assert camera.show(astronaut).detections[0].results[0].hypothesis.score == pytest.approx(smooth, abs=0.02)
    assert raw != pytest.approx(smooth, abs=1e-4)
    assert probe.set_parameter(NODE, "follow_patience", 0.2).successful
    camera.show(NOBODY, 4)
    assert told(probe, 2)[-1] == ("1", "")
    assert not probe.set_parameter(NODE, "follow_settle_time", 0.0).successful


def status(probe: Probe, name: str, fits: Callable[[DiagnosticStatus], bool]) -> DiagnosticStatus:
    """Wait until a status of the node fits."""
    probe.received["/diagnostics"].clear()

    def fitting() -> DiagnosticStatus | None:
        newest = [one for array in probe.received["/diagnostics"][-1:] for one in array.status]
        return next((one for one in newest if one.name == f"mask_detector: {name}" and fits(one)), None)

    return probe.until(fitting, f"a fitting status of {name}", 15)


def test_diagnostics_tell_what_is_wrong_and_what_to_do(probe, detector, camera, astronaut):
    silent = status(probe, "images", lambda one: one.level == DiagnosticStatus.ERROR)
    assert silent.hardware_id == "/image" and "/probe" in silent.message

    camera.show(astronaut, 5)
    fine = status(probe, "images", lambda one: one.level == DiagnosticStatus.OK)
    values = {pair.key: pair.value for pair in fine.values}
    assert values["topic"] == "/image" and values["publishers"] == "1" and values["malformed"] == "0"
    assert float(values["age of the last image (s)"]) < 5 and int(values["dropped"]) >= 0
    works = status(probe, "detections", lambda one: one.level == DiagnosticStatus.OK)
    values = {pair.key: pair.value for pair in works.values}
    assert 0 < float(values["latency, median (ms)"]) <= float(values["latency, 99th percentile (ms)"])
    assert float(values["rate (Hz)"]) > 0 and int(values["frames"]) >= 5

    burst = to_image(astronaut, Header())
    for _ in range(30):
        camera.publisher.publish(burst)
    status(probe, "images", lambda one: int({pair.key: pair.value for pair in one.values}["dropped"]) > 0)

    broken = to_image(astronaut, Header())
    broken.encoding = "jellyfish"
    probe.until(
        lambda: camera.publisher.publish(broken) or "left out" in detector.output, "the malformed image"
    )
    warned = status(probe, "images", lambda one: one.level == DiagnosticStatus.WARN)
    assert "jellyfish" in warned.message

    probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=False))
    paused = status(probe, "images", lambda one: "paused" in one.message)
    assert paused.level == DiagnosticStatus.OK and "~/enable" in paused.message


def test_cameras_in_namespaces_are_told_apart(probe, tmp_path):
    with running("detector", "--ros-args", "-r", "__ns:=/left", log=tmp_path / "log"):
        arrays = probe.until(lambda: probe.received["/diagnostics"], "diagnostics")
        assert [one.name for one in arrays[0].status] == [
            "left/mask_detector: images",
            "left/mask_detector: detections",
        ]
    assert all(takes(analyzer(), one.name) for one in arrays[0].status)


def test_three_cameras_at_once_keep_their_people_apart(probe, tmp_path, astronaut):
    """Each with a camera node and a detector of its own, in its namespace."""
    sources = {"left": astronaut, "right": np.hstack([astronaut, astronaut]), "door": NOBODY}
    with ExitStack() as stack:
        for name, image in sources.items():
            cv2.imwrite(str(tmp_path / f"{name}.png"), image)
            at = ["--ros-args", "-r", f"__ns:=/{name}"]
            source = ["-p", f"source:={tmp_path / name}.png", "-p", f"frame_id:={name}", "-p", "rate:=10.0"]
            stack.enter_context(running("camera", *at, *source, log=tmp_path / f"{name}.camera"))
            remapped = ["-r", "image:=image_raw"]
            stack.enter_context(running("detector", *at, *remapped, log=tmp_path / f"{name}.detector"))
        topics = {name: f"/{name}{DETECTIONS}" for name in sources}
        for topic in topics.values():
            probe.subscribe(Detection2DArray, topic)
        probe.until(
            lambda: all(len(probe.received[topic]) >= 3 for topic in topics.values()), "all three", 90
        )
    for (name, topic), people in zip(topics.items(), (1, 2, 0), strict=True):
        assert {array.header.frame_id for array in probe.received[topic]} == {name}
        ids = [one.id for one in probe.received[topic][-1].detections]
        assert ids == [str(number + 1) for number in range(people)]
