"""Why no image comes, and what to do about it: a look at who publishes what."""

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.topic_endpoint_info import TopicEndpointInfo

SUFFIX = "/compressed"
"""What image_transport puts after the name of a topic for its JPEG images."""

TYPES = {"raw": "sensor_msgs/msg/Image", "compressed": "sensor_msgs/msg/CompressedImage"}
"""The type of the messages of each transport, as the graph calls it."""


def why_silent(node: Node, topic: str, transport: str, own: QoSProfile) -> str:
    """Return what keeps images from coming on a topic.

    Args:
        node: what waits for them.
        topic: its resolved name.
        transport: `raw` or `compressed`.
        own: the quality of service that is asked for.
    """
    if publishers := node.get_publishers_info_by_topic(topic):
        return "; ".join(_describe(publisher, TYPES[transport], own) for publisher in publishers)
    if advice := _remap(_images(node, topic, transport), transport, topic):
        return f"nobody publishes there; {advice}"
    other, below = ("compressed", topic + SUFFIX) if transport == "raw" else ("raw", topic)
    if advice := _remap(_images(node, topic, other), other, below):
        return f"nobody publishes there; set image_transport to {other} and {advice}"
    return "nobody publishes there; start a camera"


def _describe(publisher: TopicEndpointInfo, wanted: str, own: QoSProfile) -> str:
    """Return what a publisher is called, and why nothing comes from it."""
    name = f"{publisher.node_namespace.rstrip('/')}/{publisher.node_name}"
    if publisher.topic_type != wanted:
        return f"{name} publishes {publisher.topic_type} there, not {wanted}: see parameter image_transport"
    compatibility, reason = qos_check_compatible(publisher.qos_profile, own)
    if compatibility == QoSCompatibility.ERROR:
        return f"{name} publishes there with another quality of service ({reason.strip()}): see qos_overrides"
    return f"{name} publishes there, but is silent: look at that node or its camera"


def _images(node: Node, but: str, transport: str) -> list[str]:
    """Return the topics of other nodes with images of that kind."""
    own = f"{node.get_fully_qualified_name()}/"
    topics = node.get_topic_names_and_types()
    found = (name for name, types in topics if TYPES[transport] in types)
    return [name for name in found if name != but and not name.startswith(own)]


def _remap(topics: list[str], transport: str, own: str) -> str:
    """Return how to get images from one of the topics, empty if there is none.

    Compressed ones are looked for at `own`, below the name that `image` is remapped to; where none of the
    topics is below another one, that very name can be remapped.
    """
    if transport == "compressed":
        bases = [name.removesuffix(SUFFIX) for name in topics if name.endswith(SUFFIX)]
        if topics and not bases:
            return f"remap {own} to one of: {', '.join(topics)}"
        topics = bases
    return f"remap image to one of: {', '.join(topics)}" if topics else ""
