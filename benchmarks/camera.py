"""A camera that knows when each of its images was answered: latency from publish to detections received.

They are received when the middleware has them in the camera's process.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from mask_detector.crops import Image
from mask_detector.messages import to_image

PATIENCE = 300.0  # seconds for a first answer: TensorFlow starts slowly on a busy machine
_TRY_AGAIN = 0.02  # seconds between two images while nobody answers yet; this limits what start-up shows


@dataclass(frozen=True)
class Answer:
    """When an image was sent and when its detections came, by the monotonic clock in seconds."""

    sent: float
    received: float
    faces: int

    @property
    def latency(self) -> float:
        return self.received - self.sent


class Camera:
    """Publishes images to one detector and takes its detections.

    Stamps carry the monotonic time of sending, so that each answer tells its own latency.
    """

    def __init__(self, node: Node, executor: SingleThreadedExecutor, namespace: str) -> None:
        self._node, self._executor = node, executor
        self._publisher = node.create_publisher(ImageMsg, f"{namespace}/image", 1)
        topic = f"{namespace}/mask_detector/detections"
        # As bytes, and with the time when DDS had them: the rest is the camera's own work, which waits for
        # its turn while the camera sends.
        self._subscription = node.create_subscription(Detection2DArray, topic, self._take, 10, raw=True)
        self.answers: list[Answer] = []

    def close(self) -> None:
        self._node.destroy_publisher(self._publisher)
        self._node.destroy_subscription(self._subscription)

    def first_answer(self, message: ImageMsg, alive: Callable[[], bool]) -> float:
        """Publish until the first detections come; return when, by the monotonic clock.

        Late answers of a node that was there before do not count.

        Raises:
            TimeoutError: nothing came.
        """
        self.answers.clear()
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE and alive():
            self.send(message)
            self._spin_until(time.monotonic() + _TRY_AGAIN)
            if own := [answer for answer in self.answers if answer.sent >= began]:
                return own[0].received
            self.answers.clear()
        raise TimeoutError(f"no detections within {PATIENCE:.0f} s")

    def ask(self, messages: Sequence[ImageMsg]) -> list[Answer]:
        """Send one image after another, each when the one before was answered.

        Late answers to images of before do not count: one image more would be on its way all the time.
        """
        answers: list[Answer] = []
        for message in messages:
            began, end = time.monotonic(), time.monotonic() + PATIENCE
            self.send(message)
            own: list[Answer] = []
            while not own and time.monotonic() < end:
                self.answers.clear()
                self._spin_until(end, 1)
                own = [answer for answer in self.answers if answer.sent >= began]
            answers += own
        return answers

    def stream(self, messages: Sequence[ImageMsg], rate: float, seconds: float) -> tuple[int, list[Answer]]:
        """Send images at a rate whatever comes back; return how many, and the answers to them."""
        self.answers.clear()
        began = time.monotonic()
        count = round(rate * seconds)
        for number, message in zip(range(count), itertools.cycle(messages), strict=False):
            self._spin_until(began + number / rate)
            self.send(message)
        last = self.answers[-1].received if self.answers else began
        self._spin_until(max(last, time.monotonic()) + 0.5)
        return count, list(self.answers)

    def wait(self, seconds: float) -> None:
        """Take what comes for a while."""
        self._spin_until(time.monotonic() + seconds)

    def send(self, message: ImageMsg) -> None:
        """Publish an image, stamped with the time."""
        now = time.monotonic_ns()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 1_000_000_000)
        self._publisher.publish(message)

    def _spin_until(self, end: float, answers: int = 1 << 30) -> None:
        while (left := end - time.monotonic()) > 0 and len(self.answers) < answers:
            self._executor.spin_once(timeout_sec=left)

    def _take(self, serialized: bytes, info: dict[str, int]) -> None:
        waited = (time.time_ns() - info["received_timestamp"]) / 1e9
        received = time.monotonic() - waited
        message = deserialize_message(serialized, Detection2DArray)
        stamp = message.header.stamp
        self.answers.append(Answer(stamp.sec + stamp.nanosec * 1e-9, received, len(message.detections)))


def as_messages(images: Sequence[Image]) -> list[ImageMsg]:
    """Return images as messages, made before anything is measured."""
    return [to_image(image, Header(frame_id="camera")) for image in images]


def milliseconds(answers: Sequence[Answer], share: float = 50) -> float:
    """Return a percentile of the latencies."""
    return 1000 * float(np.percentile([answer.latency for answer in answers], share))
