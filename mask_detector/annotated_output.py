"""The annotated image, raw and compressed; neither is made while nobody subscribes to it."""

from collections.abc import Sequence

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.drawing import draw_detections
from mask_detector.messages import to_compressed_image, to_image

_RELIABLE = QoSProfile(depth=2)  # as rviz2 asks for by default; a late picture is worth little


class AnnotatedOutput:
    """Publishes `~/annotated_image` and `~/annotated_image/compressed`."""

    def __init__(self, node: Node) -> None:
        overriding = QoSOverridingOptions.with_default_policies()
        self._node = node
        self._raw = node.create_publisher(
            ImageMsg, "~/annotated_image", _RELIABLE, qos_overriding_options=overriding
        )
        self._compressed = node.create_publisher(
            CompressedImage, "~/annotated_image/compressed", _RELIABLE, qos_overriding_options=overriding
        )

    @property
    def topic(self) -> str:
        return self._raw.topic_name

    def publish(self, image: Image, detections: Sequence[Detection], header: Header, quality: int) -> None:
        """Draw `detections` on a BGR `image` and publish it to those who listen; `quality` is JPEG's."""
        raw, compressed = self._raw.get_subscription_count(), self._compressed.get_subscription_count()
        if not raw and not compressed:
            return
        drawn = draw_detections(image, detections)
        if raw:
            self._raw.publish(to_image(drawn, header))
        if compressed:
            self._compressed.publish(to_compressed_image(drawn, header, quality))

    def destroy(self) -> None:
        self._node.destroy_publisher(self._raw)
        self._node.destroy_publisher(self._compressed)
