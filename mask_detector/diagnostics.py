"""Publishes the node's health on /diagnostics once a second, as diagnostic_updater does.

Names begin with the node's full name, so that an aggregator tells several cameras apart.
"""

import time
from collections import deque

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from mask_detector.health import Counts, Health, Status, statuses
from mask_detector.image_input import ImageInput

NOT_ACTIVE = "not active: activate the node"
FINALIZED = "shut down: start the node again"
PAUSED = "paused: ~/enable resumes"
_PERIOD = 10  # seconds over which rates and latencies are taken


class Diagnostics:
    """Counts what happens, and tells it.

    Attributes:
        idle: why no images are to be expected; empty while they are received.
        input: where images come from; None until the node is configured.
    """

    def __init__(self, node: Node) -> None:
        self.idle = NOT_ACTIVE
        self.input: ImageInput | None = None
        self._node = node
        self._processed = self._failed = 0
        self._latencies: deque[tuple[float, float]] = deque()
        self._history: deque[tuple[float, Counts]] = deque([(time.monotonic(), Counts())], _PERIOD + 1)
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 1)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # simulated time may stand still
        node.create_timer(1.0, self._publish, clock=steady)

    def watch(self, source: ImageInput | None) -> None:
        """Tell of this source of images from now on; its counts begin anew, and so do those here."""
        self.input = source
        self._processed = self._failed = 0
        self._latencies.clear()
        self._history.clear()
        self._history.append((time.monotonic(), Counts()))

    def processed(self) -> None:
        """Count the frame whose detections were just published."""
        self._processed += 1
        self._latencies.append((time.monotonic(), self.input.latency))

    def failed(self) -> int:
        """Count a frame on which the detector failed; return how many there are."""
        self._failed += 1
        return self._failed

    def _publish(self) -> None:
        message = DiagnosticArray(status=[self._to_message(one) for one in statuses(self._health())])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _to_message(self, status: Status) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=bytes([status.level]),
            name=f"{self._node.get_fully_qualified_name().lstrip('/')}: {status.name}",
            message=status.message,
            hardware_id=self.input.topic if self.input else "",
            values=[KeyValue(key=key, value=value) for key, value in status.values.items()],
        )

    def _health(self) -> Health:
        source = self.input
        if source is None:
            return Health(self.idle)
        now = time.monotonic()
        total = Counts(self._processed, source.dropped, source.malformed, self._failed)
        (began, before), *_ = self._history
        self._history.append((now, total))
        while self._latencies and self._latencies[0][0] < began:
            self._latencies.popleft()
        return Health(
            idle=self.idle,
            topic=source.topic,
            publishers=source.publishers,
            age=source.age,
            heard=source.heard,
            trouble=source.trouble,
            total=total,
            recent=total.since(before),
            period=now - began,
            latencies=[latency for _, latency in self._latencies],
        )
