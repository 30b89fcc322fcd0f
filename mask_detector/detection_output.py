"""The detections of every frame, and what a behaviour waits for: a state that begins, changes or ends."""

from collections.abc import Sequence

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from mask_detector.detection import Detection
from mask_detector.messages import DetectionArrays

DEPTH = 10  # messages kept for a slow subscriber
# Who asks for it hears the last changes too: they are told once, maybe before the subscriber was there.
_TOPICS = {"~/detections": DurabilityPolicy.VOLATILE, "~/state_changes": DurabilityPolicy.TRANSIENT_LOCAL}


class DetectionOutput:
    """The topics `~/detections` and `~/state_changes`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        overriding = QoSOverridingOptions.with_default_policies()
        self._detections, self._changes = (
            # A profile of its own for each: rclpy writes overrides into it.
            node.create_publisher(
                Detection2DArray,
                name,
                QoSProfile(depth=DEPTH, durability=durability),
                qos_overriding_options=overriding,
            )
            for name, durability in _TOPICS.items()
        )
        self.topic = self._detections.topic_name
        self._arrays = DetectionArrays()
        self._last_header = Header()

    def publish(self, people: Sequence[Detection], header: Header) -> None:
        """Publish who is in the frame with this header, nobody too."""
        self._last_header = header
        self._detections.publish(self._arrays.filled(people, header))

    def tell(self, changes: Sequence[Detection]) -> None:
        """Publish changes, if there are any, with the header of the last frame."""
        if changes:
            self._changes.publish(self._arrays.filled(changes, self._last_header))

    def destroy(self) -> None:
        for publisher in (self._detections, self._changes):
            self._node.destroy_publisher(publisher)
