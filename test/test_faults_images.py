"""Whatever comes in place of an image: the node lives, answers the next one, and says what was wrong."""

import array
import math
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from graph import Probe, Process, running
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from mask_detector.crops import Image
from mask_detector.messages import to_compressed_image, to_image

DETECTIONS = "/mask_detector/detections"


@pytest.fixture(scope="module")
def probe() -> Iterator[Probe]:
    with Probe() as probe:
        probe.subscribe(Detection2DArray, DETECTIONS)
        probe.subscribe(DiagnosticArray, "/diagnostics")
        yield probe


@pytest.fixture(scope="module")
def detector(probe: Probe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One node for all tests of this file: what one fault leaves behind, the next test would see."""
    with running("detector", log=tmp_path_factory.mktemp("faults") / "detector.log") as process:
        yield process


@pytest.fixture(scope="module")
def publisher(probe: Probe):
    return probe.node.create_publisher(ImageMsg, "/image", 1)


def sound(array: Detection2DArray, width: int, height: int) -> None:
    """Assert that every box lies in the image, and that every score is one."""
    for detection in array.detections:
        box = detection.bbox
        left, top = box.center.position.x - box.size_x / 2, box.center.position.y - box.size_y / 2
        numbers = [left, top, box.size_x, box.size_y]
        assert all(math.isfinite(number) for number in numbers), numbers
        assert left >= -1e-3 and top >= -1e-3
        assert left + box.size_x <= width + 1e-3 and top + box.size_y <= height + 1e-3
        scores = [result.hypothesis.score for result in detection.results]
        assert all(0 <= score <= 1 for score in scores) and sum(scores) == pytest.approx(1, abs=1e-3)


def values(probe: Probe, number: int) -> dict[str, str]:
    """Return what the newest message on /diagnostics tells of images (0) or detections (1)."""
    probe.received["/diagnostics"].clear()
    (message, *_) = probe.until(lambda: probe.received["/diagnostics"], "/diagnostics")
    return {pair.key: pair.value for pair in message.status[number].values}


def truncated(image: ImageMsg) -> None:
    image.data = image.data[: len(image.data) // 3]


def without_size(image: ImageMsg) -> None:
    image.width = image.height = image.step = 0
    image.data = array.array("B")


def with_wrong_step(image: ImageMsg) -> None:
    image.step = image.width


def of_a_hundred_megapixels(image: ImageMsg) -> None:
    image.width, image.height, image.step = 10_000, 10_000, 30_000


def of_floats_that_are_none(image: ImageMsg) -> None:
    pixels = np.full((image.height, image.width), np.nan, np.float32)
    image.encoding, image.step = "32FC1", 4 * image.width
    image.data = array.array("B", pixels.tobytes())


def with_a_negative_size_wrapped(image: ImageMsg) -> None:
    image.height = 2**32 - 1


def of_an_encoding_in_another_script(image: ImageMsg) -> None:
    image.encoding = "раскраска 🎨"


@pytest.mark.parametrize(
    "spoil",
    [
        truncated,
        without_size,
        with_wrong_step,
        of_a_hundred_megapixels,
        of_floats_that_are_none,
        with_a_negative_size_wrapped,
        of_an_encoding_in_another_script,
    ],
)
def test_a_broken_image_is_counted_and_the_next_one_is_answered(
    probe, detector, publisher, astronaut, spoil: Callable[[ImageMsg], None]
):
    probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS)
    before = int(values(probe, 0)["malformed"])
    broken = to_image(astronaut, probe.header())
    spoil(broken)

    def counted() -> bool:
        publisher.publish(broken)
        return int(values(probe, 0)["malformed"]) > before

    probe.until(counted, "the count of malformed images")
    assert all(one.header.stamp != broken.header.stamp for one in probe.received[DETECTIONS])
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
    assert detector.output.count("left out:") == 1, "said once, whatever else comes in a minute"


def test_strange_pictures_are_answered(probe, detector, publisher, astronaut):
    black = np.zeros((480, 640, 3), np.uint8)
    noise = np.random.default_rng(5).integers(0, 256, (333, 517, 3), np.uint8)
    edge = np.zeros((400, 400, 3), np.uint8)
    edge[:, :150] = astronaut[0:400, 223:373]  # half a face at the left edge
    for image in (black, noise, edge, black[:1, :1], black[:1], black[:, :1], 255 - black, astronaut[80:150]):
        answer = probe.ask(publisher, to_image(np.ascontiguousarray(image), probe.header()), DETECTIONS)
        sound(answer, *image.shape[1::-1])


@pytest.mark.parametrize(
    "stamps",
    [
        [(-5, 0), (-2147483648, 0), (0, 0)],
        [(7, 4_294_967_295), (7, 0)],
        [(2_000_000_000, 0), (10, 0), (2_000_000_000, 1), (11, 0)],
    ],
    ids=["before time began", "a second too full", "back and forth"],
)
def test_strange_stamps_come_back_as_they_are(probe, detector, publisher, astronaut, stamps):
    for sec, nanosec in stamps:
        header = Header(frame_id="camera")
        header.stamp.sec, header.stamp.nanosec = sec, nanosec
        probe.received[DETECTIONS].clear()
        answer = probe.ask(publisher, to_image(astronaut, header), DETECTIONS)
        assert answer.header == header
        sound(answer, 512, 512)


def test_an_image_that_no_jpeg_can_hold_is_answered_and_not_shown(probe, detector, publisher, astronaut):
    topic = "/mask_detector/annotated_image/compressed"
    watcher = probe.subscribe(CompressedImage, topic)
    try:
        wide = to_image(np.zeros((1, 66_000, 3), np.uint8), probe.header())
        assert probe.ask(publisher, wide, DETECTIONS).detections == []
        assert probe.ask(publisher, to_image(astronaut, probe.header()), topic).data
        assert "66000x1" in detector.output and "cannot be written as JPEG" in detector.output
    finally:
        probe.node.destroy_subscription(watcher)


def test_a_camera_that_comes_back_with_another_size_and_encoding(probe, detector, publisher, astronaut):
    def recoded(encoding: str, code: int, size: tuple[int, int]) -> tuple[ImageMsg, tuple[int, int]]:
        pixels = cv2.cvtColor(cv2.resize(astronaut, size), code)
        message = to_image(np.zeros((1, 1, 3), np.uint8), probe.header())
        message.width, message.height = size
        message.encoding, message.step = encoding, pixels.strides[0]
        message.data = array.array("B", pixels.tobytes())
        return message, size

    probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS)
    for kind in (
        ("mono8", cv2.COLOR_BGR2GRAY, (400, 400)),
        ("rgba8", cv2.COLOR_BGR2RGBA, (1024, 1024)),
        ("rgb8", cv2.COLOR_BGR2RGB, (300, 290)),
    ):
        message, size = recoded(*kind)
        another = probe.node.create_publisher(ImageMsg, "/image", 1)
        answer = probe.ask(another, message, DETECTIONS)
        probe.node.destroy_publisher(another)
        assert len(answer.detections) == 1
        sound(answer, *size)


def spoiled_jpegs(picture: Image) -> Iterator[bytes]:
    whole = bytes(to_compressed_image(picture, Header(), 90).data)
    rng = np.random.default_rng(7)
    yield b""
    yield b"\xff\xd8"
    yield whole[:200]
    yield rng.bytes(5000)
    for share in (0.3, 0.7):
        yield whole[: int(share * len(whole))]
    for _ in range(4):
        spoiled = bytearray(whole)
        for place in rng.integers(300, len(whole), 60).tolist():
            spoiled[place] = rng.integers(256)
        yield bytes(spoiled)


def test_corrupt_jpegs_do_no_harm(probe, astronaut, tmp_path):
    arguments = ["--ros-args", "-p", "image_transport:=compressed", "-r", "__ns:=/jpeg"]
    topic = "/jpeg/mask_detector/detections"
    probe.subscribe(Detection2DArray, topic)
    publisher = probe.node.create_publisher(CompressedImage, "/jpeg/image/compressed", 1)
    with running("detector", *arguments, log=tmp_path / "log") as detector:
        probe.ask(publisher, to_compressed_image(astronaut, probe.header(), 90), topic)
        for content in spoiled_jpegs(astronaut):
            publisher.publish(
                CompressedImage(header=probe.header(), format="jpeg", data=array.array("B", content))
            )
            probe.spin(0.1)
        assert probe.ask(publisher, to_compressed_image(astronaut, probe.header(), 90), topic).detections
        for answer in probe.received[topic]:
            sound(answer, 512, 512)
        assert detector.output.count("left out:") == 1
    probe.node.destroy_publisher(publisher)
