"""What the viewer has of one detector: its topics, its parameters, its switch."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterDescriptor
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.exceptions import InvalidTopicNameException
from rclpy.parameter import parameter_value_to_python
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_srvs.srv import SetBool
from vision_msgs.msg import Detection2DArray

from mask_detector.detector_parameters import PARAMETERS
from mask_detector.errors import MaskDetectorError
from mask_detector.image_conversion import compressed_to_bgr, to_bgr
from mask_detector.messages import from_detection_array
from mask_detector.silence import TYPES
from mask_detector.viewer.faces import Faces
from mask_detector.viewer.live import Setting

if TYPE_CHECKING:
    from mask_detector.viewer.ros_node import ViewerNode

_BLUR = "blur_faces"
_SLIDERS = tuple(entry.name for entry in PARAMETERS if entry.live and not isinstance(entry.default, bool))
_NAMES = [*_SLIDERS, _BLUR]
_NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_MANY = QoSProfile(depth=20, reliability=ReliabilityPolicy.BEST_EFFORT)
_AGAIN = 5.0  # seconds until the parameters are read again
_REPLAY = 5.0  # seconds in which changes come that were published before there was a subscription
_NEWS = 5_000_000_000  # nanoseconds for which such a change is news; older ones another viewer has told


def _as_offered(node: "ViewerNode", topic: str) -> QoSProfile:
    """Return a profile that asks for the last changes too, unless a publisher, say of a bag, keeps none."""
    offered = [one.qos_profile.durability for one in node.get_publishers_info_by_topic(topic)]
    without = DurabilityPolicy.VOLATILE in offered
    durability = DurabilityPolicy.VOLATILE if without else DurabilityPolicy.TRANSIENT_LOCAL
    return QoSProfile(depth=50, durability=durability)


class DetectorLink:
    """Subscribes to a detector and calls its services; lives in the thread of the node.

    Attributes:
        alive: whether the detector is in the graph.
    """

    def __init__(self, node: "ViewerNode", name: str, faces: Faces) -> None:
        self._node, self._name, self._faces = node, name, faces
        self._alive = False
        self._due = 0.0  # when its parameters are to be read, by the steady clock
        self._annotated = self._input = None
        self._replayed = time.monotonic() + _REPLAY
        changes = f"{name}/state_changes"
        self._subscriptions = [
            node.create_subscription(Detection2DArray, f"{name}/detections", self._on_detections, _MANY),
            node.create_subscription(Detection2DArray, changes, self._on_changes, _as_offered(node, changes)),
        ]
        self._describe, self._get, self._set, self._enable = (
            node.create_client(kind, f"{name}/{service}")
            for kind, service in (
                (DescribeParameters, "describe_parameters"),
                (GetParameters, "get_parameters"),
                (SetParameters, "set_parameters"),
                (SetBool, "enable"),
            )
        )

    @property
    def alive(self) -> bool:
        return self._alive

    @alive.setter
    def alive(self, alive: bool) -> None:
        self._alive = alive
        self.doubt()

    def show(self, wanted: bool) -> None:
        """Subscribe to the annotated images, or no more."""
        if wanted and not self._annotated:
            self._annotated = self._node.create_subscription(
                CompressedImage, f"{self._name}/annotated_image/compressed", self._on_annotated, _NEWEST
            )
        elif self._annotated and not wanted:
            self._node.destroy_subscription(self._annotated)
            self._annotated = None
            self._node.tell(self._node.live.pictured, self._name, None)

    def listen_to(self, topic: str) -> None:
        """Take the images that the detector takes, if something may be done with them."""
        if not topic or not self._faces.wanted or (self._input and self._input.topic_name == topic):
            return
        # Anybody may send diagnostics in a detector's name, with a topic that cannot be.
        with suppress(ValueError, InvalidTopicNameException):
            there = {one.topic_type for one in self._node.get_publishers_info_by_topic(topic)}
            if there:
                self._take_from(topic, CompressedImage if TYPES["compressed"] in there else ImageMsg)

    def _take_from(self, topic: str, kind: type) -> None:
        if self._input:
            self._node.destroy_subscription(self._input)
            self._input = None
        self._input = self._node.create_subscription(kind, topic, self._on_image, _NEWEST)

    def set_parameter(self, parameter: ParameterMsg) -> Future:
        """Set a parameter."""
        return self._call(self._set, SetParameters.Request(parameters=[parameter]))

    def enable(self, enabled: bool) -> Future:
        """Pause or resume."""
        return self._call(self._enable, SetBool.Request(data=enabled))

    def _call(self, client, request) -> Future:
        if not client.service_is_ready():
            raise MaskDetectorError(f"{self._name} does not answer now: is it running?")
        return client.call_async(request)

    def doubt(self) -> None:
        """Take the parameters as unknown until they are read again."""
        self._due = 0.0
        self._faces.blurred_at_source = None

    def refresh(self) -> None:
        """Read the parameters if they are in doubt, and now and then in any case.

        A detector that was killed stays in the graph for a while: one that takes its place, with other
        parameters, is not seen to come, and says so before anybody here can hear it.
        """
        now = time.monotonic()
        if now >= self._due and self._describe.service_is_ready():
            self._due = now + _AGAIN
            asked = self._describe.call_async(DescribeParameters.Request(names=_NAMES))
            asked.add_done_callback(lambda future: self._read(future.result().descriptors))

    def _read(self, descriptors: Sequence[ParameterDescriptor]) -> None:
        asked = self._get.call_async(GetParameters.Request(names=_NAMES))
        asked.add_done_callback(lambda future: self._configured(descriptors, future.result().values))

    def _configured(self, descriptors: Sequence[ParameterDescriptor], values: Sequence) -> None:
        found = {
            one.name: parameter_value_to_python(value) for one, value in zip(descriptors, values, strict=True)
        }
        self._faces.blurred_at_source = found.get(_BLUR) is True
        settings = [_setting(one, found[one.name]) for one in descriptors if one.name in _SLIDERS]
        known = [setting for setting in settings if setting]
        self._node.tell(self._node.live.configured, self._name, known, self._faces.blurred_at_source)

    def _on_detections(self, message: Detection2DArray) -> None:
        people = self._faces.seen(_stamp(message), from_detection_array(message))
        self._node.tell(self._node.live.people, self._name, [one.class_id for one in people])

    def _on_changes(self, message: Detection2DArray, info: dict[str, int | None]) -> None:
        old = time.time_ns() - (info["source_timestamp"] or time.time_ns()) > _NEWS
        if old and time.monotonic() < self._replayed:  # later it is a clock that is wrong
            return
        for change in self._faces.changes(_stamp(message), from_detection_array(message)):
            self._node.tell(self._node.live.changed, change)

    def _on_annotated(self, message: CompressedImage) -> None:
        if jpeg := self._faces.presentable(_stamp(message), bytes(message.data)):
            self._node.tell(self._node.live.pictured, self._name, jpeg)

    def _on_image(self, message: ImageMsg | CompressedImage) -> None:
        if isinstance(message, CompressedImage):
            self._faces.keep(_stamp(message), lambda: compressed_to_bgr(message.data))
        else:
            self._faces.keep(_stamp(message), lambda: to_bgr(message))

    def destroy(self) -> None:
        for subscription in (*self._subscriptions, self._annotated, self._input):
            if subscription:
                self._node.destroy_subscription(subscription)
        for client in (self._describe, self._get, self._set, self._enable):
            self._node.destroy_client(client)


def _stamp(message: Detection2DArray | CompressedImage | ImageMsg) -> tuple[int, int]:
    return message.header.stamp.sec, message.header.stamp.nanosec


def _setting(descriptor: ParameterDescriptor, value: object) -> Setting | None:
    """Return the slider of a parameter, None if the node does not know it or gives no range."""
    whole = bool(descriptor.integer_range)
    ranges = descriptor.integer_range or descriptor.floating_point_range
    if value is None or not ranges:
        return None
    low, high = ranges[0].from_value, ranges[0].to_value
    return Setting(descriptor.name, descriptor.description, low, high, whole, value)
