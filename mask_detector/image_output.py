"""Publishes images raw and as JPEG, and makes neither while nobody subscribes to it."""

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

from mask_detector.crops import Image
from mask_detector.messages import to_compressed_image, to_image

_DEPTH = 2  # a late picture is worth little; reliable, as rviz2 asks for by default


class ImageOutput:
    """The topic `topic`, and `compressed` below its remapped name, as image_transport has it."""

    def __init__(self, node: Node, topic: str) -> None:
        self._node = node
        overriding = QoSOverridingOptions.with_default_policies()
        self.topic = node.resolve_topic_name(topic)
        self._raw, self._compressed = (
            # A profile of its own for each: rclpy writes overrides into it.
            node.create_publisher(kind, name, QoSProfile(depth=_DEPTH), qos_overriding_options=overriding)
            for kind, name in ((ImageMsg, topic), (CompressedImage, f"{self.topic}/compressed"))
        )

    @property
    def wanted(self) -> bool:
        """Whether somebody subscribes to either topic."""
        return bool(self._raw.get_subscription_count() or self._compressed.get_subscription_count())

    def publish(self, image: Image, header: Header, quality: int) -> None:
        """Publish a BGR image to those who listen; `quality` is that of the JPEG, 1 to 100."""
        if self._raw.get_subscription_count():
            self._raw.publish(to_image(image, header))
        if self._compressed.get_subscription_count():
            self._compressed.publish(to_compressed_image(image, header, quality))

    def destroy(self) -> None:
        self._node.destroy_publisher(self._raw)
        self._node.destroy_publisher(self._compressed)
