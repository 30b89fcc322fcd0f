"""The examples of behaviours, in processes of their own, with the real detector on clips."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from graph import LATCHED, Probe, running
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Bool, Header, String
from vision_msgs.msg import Detection2DArray

from mask_detector.crops import Image
from mask_detector.demo_clip import RATE, make_demo_clip
from mask_detector.detection import Detection
from mask_detector.frame_sources import open_source
from mask_detector.messages import to_detection_array, to_image

REPOSITORY = Path(__file__).resolve().parents[1]
DETECTIONS, SPEECH, GATE = "/mask_detector/detections", "/say", "/gate/open"
CHANGES = "/mask_detector/state_changes"
BEGIN = 1000.0
HELLO, PLEASE, RIGHT, THANKS = (
    "Hello!",
    "Please put on a mask.",
    "Please pull your mask over mouth and nose.",
    "Thank you.",
)


@pytest.fixture
def show(tmp_path: Path) -> Iterator[Callable[[Sequence[tuple[float, Image]]], Probe]]:
    """Detector, greeter and gate at work; show them images with their times in seconds."""
    with ExitStack() as stack:
        probe = stack.enter_context(Probe())
        probe.subscribe(Detection2DArray, DETECTIONS)
        probe.subscribe(String, SPEECH, 100)
        probe.subscribe(Bool, GATE, LATCHED)
        for name, *rest in (["detector"], ["greeter"], ["gate", "--ros-args", "-p", "silence:=10.0"]):
            stack.enter_context(running(name, *rest, log=tmp_path / name))  # 10 s: machines may be busy
        camera = probe.node.create_publisher(ImageMsg, "/image", 1)
        for topic, count in ((DETECTIONS, 2), (CHANGES, 1)):
            probe.until(lambda t=topic, c=count: probe.node.count_subscribers(t) == c, f"who hears {topic}")
        probe.until(lambda: probe.received[GATE], "the gate to say that it is closed")

        def show(images: Sequence[tuple[float, Image]]) -> Probe:
            for time, image in images:
                header = Header(frame_id="camera")
                header.stamp.sec, nano = divmod(round((BEGIN + time) * 1e9), 10**9)
                header.stamp.nanosec = nano
                probe.ask(camera, to_image(image, header), DETECTIONS)
            return probe

        yield show


def clip(path: Path, step: int, rate: float = RATE) -> list[tuple[float, Image]]:
    with open_source(str(path)) as source:
        return [(frame.index / rate, frame.image) for frame in source][::step]


def opened(probe: Probe) -> list[bool]:
    return [one.data for one in probe.received[GATE]]


def test_they_do_what_they_should_on_a_made_up_clip(show, tmp_path):
    """Bare to 2.5 s, mask to 5, nose out to 7.5, mask to 9.5, chin to 12, bare."""
    images = clip(make_demo_clip(tmp_path / "clip.mp4"), 2)
    before, during, after = images[:30], images[30:38], images[38:44]
    probe = show(before)
    assert [one.data for one in probe.received[SPEECH]] == [HELLO, PLEASE, THANKS]
    assert opened(probe) == [False], "1.5 s after the mask was put on"
    probe = show(during)
    probe.until(lambda: opened(probe) == [False, True], "the gate to open after two seconds")
    probe = show(after)
    probe.until(lambda: opened(probe) == [False, True, False], "the gate to close, for the nose is out")
    probe = show(images[44:])
    probe.spin(0.5)
    said = [one.data for one in probe.received[SPEECH]]
    assert said == [HELLO, PLEASE, THANKS], "one person is asked once, and thanked once"


def test_a_gate_that_hears_nothing_closes_and_strangers_are_greeted_anew(show, tmp_path):
    masked = clip(make_demo_clip(tmp_path / "clip.mp4"), 2)[19:37]
    probe = show(masked)
    probe.until(lambda: opened(probe) == [False, True], "the gate to open")
    probe.until(lambda: opened(probe) == [False, True, False], "the gate to close when nothing comes")
    nobody = np.full_like(masked[0][1], 128)
    probe = show([(10 + index / 5, nobody) for index in range(10)])
    probe = show([(20 + time, image) for time, image in masked[:8]])
    probe.until(lambda: [one.data for one in probe.received[SPEECH]] == [HELLO, HELLO], "two greetings")
    assert opened(probe) == [False, True, False]


def test_a_gate_opens_by_the_time_of_arrival_where_images_have_no_stamps(tmp_path):
    person = Detection((10.0, 10.0, 50.0, 50.0), {"mask": 1.0, "no_mask": 0.0}, "1")
    with Probe() as probe, running("gate", log=tmp_path / "gate"):
        probe.subscribe(Bool, GATE, LATCHED)
        detections = probe.node.create_publisher(Detection2DArray, DETECTIONS, 10)
        probe.until(lambda: probe.received[GATE], "the gate to say that it is closed")
        for _ in range(30):
            detections.publish(to_detection_array([person], Header()))
            probe.spin(0.1)
        probe.until(lambda: opened(probe) == [False, True], "the gate to open")


def test_after_a_new_start_of_the_detector_its_ids_are_new_people(tmp_path, astronaut):
    with Probe() as probe, running("greeter", log=tmp_path / "greeter"):
        probe.subscribe(Detection2DArray, DETECTIONS)
        probe.subscribe(String, SPEECH, 100)
        camera = probe.node.create_publisher(ImageMsg, "/image", 1)

        def meet(sentences: int) -> None:
            with running("detector", log=tmp_path / f"detector_{sentences}"):
                probe.until(lambda: probe.node.count_publishers(CHANGES) == 1, "the detector")
                probe.spin(1.0)  # greeter and detector find each other
                for _ in range(4):
                    probe.ask(camera, to_image(astronaut, probe.header()), DETECTIONS)
                probe.until(lambda: len(probe.received[SPEECH]) >= sentences, f"{sentences} sentences")

        meet(2)
        probe.until(lambda: probe.node.count_publishers(CHANGES) == 0, "the detector to be gone")
        meet(4)
    assert [one.data for one in probe.received[SPEECH]] == [HELLO, PLEASE] * 2


def test_the_greeter_on_a_real_clip(show, shared_data):
    probe = show(clip(shared_data / "clips" / "one_person_mask_on_off.mp4", 1, 15.0))
    probe.spin(0.5)
    said = [one.data for one in probe.received[SPEECH]]
    assert said[:2] == [HELLO, PLEASE] and said.count(PLEASE) + said.count(RIGHT) == 1
    assert THANKS in said


@pytest.mark.parametrize("name", ["greeter", "gate"])
def test_an_example_is_short(name):
    assert len((REPOSITORY / "mask_detector" / "behaviours" / f"{name}.py").read_text().splitlines()) < 80
