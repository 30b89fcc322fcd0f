"""Late images make way for newer ones that are near, and only for these."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
from graph import Probe
from sensor_msgs.msg import Image as ImageMsg

from mask_detector.freshness import Freshness
from mask_detector.image_input import ImageInput
from mask_detector.messages import to_image

PERIOD = 33_000_000  # nanoseconds


def wait_of_second(waited: float, number: int = 2, arrived: float = 1.0) -> float:
    """Return how long the second image waits, in periods, after a first one that came at 5 periods."""
    freshness = Freshness()
    freshness.wait(5 * PERIOD, 1, 5 * PERIOD)
    came = round((5 + arrived) * PERIOD)
    return freshness.wait(came, number, came + round(waited * PERIOD)) / PERIOD


@pytest.mark.parametrize("waited", [0.0, 0.3, 0.49])
def test_an_image_that_has_hardly_waited_is_taken(waited):
    assert wait_of_second(waited) == 0


@pytest.mark.parametrize("waited", [0.51, 0.8, 0.99])
def test_a_late_image_waits_until_just_after_the_next_one_is_due(waited):
    assert wait_of_second(waited) == pytest.approx(1.25 - waited, abs=1e-6)


@pytest.mark.parametrize("waited", [1.01, 3.0])
def test_where_the_next_one_should_be_there_already_nothing_is_awaited(waited):
    assert wait_of_second(waited) == 0


def test_the_period_is_known_from_images_that_were_left_out_too():
    assert wait_of_second(0.8, number=4, arrived=3.0) == pytest.approx(0.45, abs=1e-6)


def test_the_first_image_and_the_first_of_another_publisher_are_taken():
    assert Freshness().wait(PERIOD, 7, round(1.8 * PERIOD)) == 0
    assert wait_of_second(0.8, number=1) == 0
    assert wait_of_second(0.8, number=0) == 0


def test_a_clock_that_jumps_back_holds_nothing():
    assert wait_of_second(-0.8) == 0
    assert wait_of_second(0.8, arrived=-3.0) == 0


class Camera:
    """A camera of an image in two seconds, and an `ImageInput` that notes what it hands on; 1 is there."""

    def __init__(self, probe: Probe) -> None:
        self._probe, self.taken = probe, []
        self._publisher = probe.node.create_publisher(ImageMsg, "image", 1)
        self.input = ImageInput(probe.node, "raw", lambda image, header: self.taken.append(header.frame_id))
        self.input.start()
        probe.until(lambda: self._publisher.get_subscription_count(), "the subscription")
        self.send(1)
        probe.until(lambda: self.taken, "the first image")

    def send(self, number: int) -> None:
        header = self._probe.header()
        header.frame_id = str(number)
        self._publisher.publish(to_image(np.zeros((2, 2, 3), np.uint8), header))

    def late(self) -> None:
        """Send image 2 in time after the first, and let it wait for most of the time until the next."""
        time.sleep(2.0)
        self.send(2)
        time.sleep(1.3)
        self._probe.spin(0.05)


@pytest.fixture
def probe() -> Iterator[Probe]:
    with Probe() as probe:
        yield probe


def test_a_late_image_is_left_out_for_the_next_one_and_counted(probe):
    camera = Camera(probe)
    camera.late()
    assert camera.taken == ["1"]
    camera.send(3)
    probe.until(lambda: len(camera.taken) > 1, "image 3")
    probe.spin(1.0)
    assert camera.taken == ["1", "3"] and camera.input.dropped == 1


def test_a_late_image_is_taken_after_all_where_no_other_comes(probe):
    camera = Camera(probe)
    camera.late()
    assert camera.taken == ["1"]
    probe.until(lambda: len(camera.taken) > 1, "image 2")
    probe.spin(2.0)
    assert camera.taken == ["1", "2"] and camera.input.dropped == 0


def test_who_stops_receiving_takes_no_image_that_was_held(probe):
    camera = Camera(probe)
    camera.late()
    camera.input.stop()
    probe.spin(2.0)
    assert camera.taken == ["1"]
    camera.input.start()
    camera.send(3)
    probe.until(lambda: len(camera.taken) > 1 or camera.send(3), "image 3")
    assert camera.taken[-1] == "3"
