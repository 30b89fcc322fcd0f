"""The image topic: raw or compressed, newest frame only, and a plain word when something is amiss."""

import time
from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from mask_detector.crops import Image
from mask_detector.errors import ImageError
from mask_detector.freshness import Freshness
from mask_detector.health import SILENCE
from mask_detector.image_conversion import compressed_to_bgr, to_bgr
from mask_detector.quiet import libraries_muted
from mask_detector.silence import SUFFIX, why_silent

TRANSPORTS = ("raw", "compressed")
Message = ImageMsg | CompressedImage
_REPEAT = 60.0  # seconds until the same trouble is said again


class ImageInput:
    """Subscribes to `image` and hands every good frame on as BGR.

    `image/compressed` is taken below the remapped name of `image`, as image_transport does; that name can be
    remapped itself.

    Args:
        node: what subscribes.
        transport: one of TRANSPORTS.
        on_image: gets each good frame and its header.
        on_silence: gets the seconds since the last good frame, once a second where it is long ago.

    Attributes:
        topic: the resolved name.
        malformed: images that could not be read so far.
        dropped: images so far that newer ones replaced before they could be read.
        heard: whether an image came since receiving began.
    """

    def __init__(
        self,
        node: Node,
        transport: str,
        on_image: Callable[[Image, Header], None],
        on_silence: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._node = node
        self._on_image, self._on_silence = on_image, on_silence
        self._transport, self._compressed = transport, transport == "compressed"
        suffix = SUFFIX if self._compressed else ""
        self.topic = node.resolve_topic_name(node.resolve_topic_name("image") + suffix)
        self.malformed = self.dropped = 0
        self.heard = False
        self._reason = ""  # why the last malformed image was
        self._arrived = self._number = 0
        self._held: tuple[Message, int] | None = None  # a late image, and when it came; a newer one is near
        self._subscription = None
        self._last_good = self._last_image = self._last_said = time.monotonic()
        self._malformed_said = -_REPEAT

    def start(self) -> None:
        """Begin to receive; does nothing if it has begun."""
        if self._subscription:
            return
        self.heard = False
        self._number = 0
        self._freshness = Freshness()
        self._last_good = self._last_image = self._last_said = time.monotonic()
        self._subscription = self._node.create_subscription(
            CompressedImage if self._compressed else ImageMsg,
            self.topic,
            self._receive,
            _newest_only(),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # simulated time may stand still
        self._watch = self._node.create_timer(1.0, self._look_for_silence, clock=steady)
        self._patience = self._node.create_timer(1.0, self._take_held, clock=steady)
        self._patience.cancel()  # until an image is held

    def stop(self) -> None:
        """Receive no more, so that a paused node costs nothing."""
        if self._subscription:
            self._held = None
            self._node.destroy_timer(self._watch)
            self._node.destroy_timer(self._patience)
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

    @property
    def latency(self) -> float:
        """Seconds since the image at hand arrived, the time included that it waited for its turn."""
        return max(0.0, (time.time_ns() - self._arrived) / 1e9)

    @property
    def age(self) -> float:
        """Seconds since the last image, or since receiving began."""
        return time.monotonic() - self._last_image

    @property
    def publishers(self) -> int:
        return self._node.count_publishers(self.topic)

    @property
    def trouble(self) -> str:
        """Why no image comes, or what was wrong with the last malformed one."""
        return self._why_silent() if self.age >= SILENCE else self._reason

    def _receive(self, message: Message, info: dict[str, int | None]) -> None:
        number, now = info["publication_sequence_number"] or 0, time.time_ns()
        arrived = info["received_timestamp"] or now
        self._count_dropped(number)
        self._last_image, self.heard = time.monotonic(), True
        if self._held:
            self._patience.cancel()
            self._held = None
            self.dropped += 1
        if wait := self._freshness.wait(arrived, number, now):
            self._held = message, arrived
            self._patience.timer_period_ns = wait
            self._patience.reset()
        else:
            self._take(message, arrived)

    def _take_held(self) -> None:
        """Take the late image after all: no newer one came when it was expected."""
        self._patience.cancel()
        if self._held:
            held, self._held = self._held, None
            self._take(*held)

    def _take(self, message: Message, arrived: int) -> None:
        self._arrived = arrived
        try:
            image = self._decoded(message) if self._compressed else to_bgr(message)
        except ImageError as error:
            self._count_malformed(str(error))
            return
        self._last_good = time.monotonic()
        self._on_image(image, message.header)

    @staticmethod
    def _decoded(message: CompressedImage) -> Image:
        with libraries_muted():  # libjpeg would write of each image that a bad cable has damaged
            return compressed_to_bgr(message.data)

    def _count_dropped(self, number: int) -> None:
        """Count the gap to the image before; a publisher that starts again begins at 1.

        Each publisher has numbers of its own: where there are several nothing can be counted.
        """
        between = number - self._number - 1
        if self._number and between > 0 and self.publishers == 1:
            self.dropped += between
        self._number = number

    def _count_malformed(self, reason: str) -> None:
        self.malformed += 1
        self._reason = reason
        now = time.monotonic()
        if now - self._malformed_said >= _REPEAT:
            self._malformed_said = now
            self._node.get_logger().warning(
                f"image on {self.topic} left out: {reason} ({self.malformed} left out so far; "
                f"more of them are only counted for {_REPEAT:.0f} s)"
            )

    def _look_for_silence(self) -> None:
        now = time.monotonic()
        if now - self._last_good >= SILENCE:
            self._on_silence(now - self._last_good)
        silence = now - self._last_image
        patience = SILENCE if self._last_said <= self._last_image else _REPEAT
        if silence >= SILENCE and now - max(self._last_said, self._last_image) >= patience:
            self._last_said = now
            self._node.get_logger().warning(
                f"no image on {self.topic} for {silence:.0f} s: {self._why_silent()}"
            )

    def _why_silent(self) -> str:
        own = self._subscription.qos_profile if self._subscription else _newest_only()
        return why_silent(self._node, self.topic, self._transport, own)


def _newest_only() -> QoSProfile:
    """Depth 1: while one frame is worked on, a newer one replaces the one that waits."""
    return QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
