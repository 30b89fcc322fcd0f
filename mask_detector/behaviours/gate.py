"""A gate that opens only while everybody in sight has worn a mask properly for two seconds.

It hears `mask_detector/detections`, for it must know of every frame: that nobody is there, that
somebody new is, that nothing comes any more. What it decides goes out on `gate/open`, latched.
"""

import time
from collections.abc import Sequence

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Bool
from vision_msgs.msg import Detection2DArray

from mask_detector.frame_time import FrameTime
from mask_detector.node_main import run_node

_HOLD = 2.0  # seconds of `mask`, by the stamps of the images
_GRACE = 0.5  # seconds for which a face may be missed without being forgotten


class Gate(Node):
    """Open or closed; closed whenever in doubt."""

    def __init__(self) -> None:
        super().__init__("gate")
        self._seen: dict[str, float] = {}  # by id: when last
        self._masked: dict[str, float] = {}  # by id: since when
        self._heard = time.monotonic()
        self._time_of = FrameTime(self.get_logger().warning)
        self.declare_parameter("silence", 1.0)  # seconds without detections after which it is blind
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._gate = self.create_publisher(Bool, "gate/open", latched)
        self._open = True
        self._set(False)
        self.create_subscription(Detection2DArray, "mask_detector/detections", self._on_detections, 10)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # simulated time may stand still
        self.create_timer(0.25, self._look_for_silence, clock=steady)

    def _on_detections(self, message: Detection2DArray) -> None:
        self._heard = time.monotonic()
        now = self._time_of(message.header)
        for person in message.detections:
            self._seen[person.id] = now
            if person.results[0].hypothesis.class_id == "mask":
                self._masked.setdefault(person.id, now)
            else:
                self._masked.pop(person.id, None)
        # abs: time jumps back when a bag begins again
        self._seen = {one: seen for one, seen in self._seen.items() if abs(now - seen) <= _GRACE}
        self._masked = {one: since for one, since in self._masked.items() if one in self._seen}
        held = [now - self._masked.get(one, now) >= _HOLD for one in self._seen]
        self._set(bool(held) and all(held))

    def _look_for_silence(self) -> None:
        if time.monotonic() - self._heard > self.get_parameter("silence").value:
            self._seen.clear()
            self._masked.clear()
            self._set(False)

    def _set(self, is_open: bool) -> None:
        if is_open != self._open:
            self._open = is_open
            self.get_logger().info("open" if is_open else "closed")
            self._gate.publish(Bool(data=is_open))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(Gate, arguments)
