"""Faces as ROS4HRI (REP-155) has them, for whoever uses its libraries, such as libhri and pyhri.

The id of a face is a part of topic names there. ROS 2 has none that begin with a digit, and all cameras
share /humans: so the node's own name goes before the number of the person.
"""

from collections.abc import Sequence
from typing import Any

from rclpy.event_handler import PublisherEventCallbacks
from rclpy.node import Node
from std_msgs.msg import Header

from mask_detector.detection import Detection
from mask_detector.errors import MaskDetectorError

_FACES = "/humans/faces"
_DEPTH = 1  # as ROS4HRI's own detector has it; reliable


class FaceTopics:
    """The topics `/humans/faces/tracked` and, for each person, `/humans/faces/ID/roi`.

    Raises:
        MaskDetectorError: hri_msgs is not installed.
    """

    def __init__(self, node: Node) -> None:
        try:
            from hri_msgs.msg import IdsList, NormalizedRegionOfInterest2D
        except ImportError:
            raise MaskDetectorError(
                "ros4hri needs hri_msgs: sudo apt install ros-$ROS_DISTRO-hri-msgs, or ros4hri:=false"
            ) from None
        self._node = node
        self._ids_list, self._region = IdsList, NormalizedRegionOfInterest2D
        self._prefix = node.get_fully_qualified_name().strip("/").replace("/", "_")
        self._tracked = node.create_publisher(IdsList, f"{_FACES}/tracked", _DEPTH)
        self._regions: dict[str, Any] = {}
        self._header = Header()

    def publish(
        self, followed: Sequence[str], seen: Sequence[Detection], size: tuple[int, int], header: Header
    ) -> None:
        """Publish who is followed and where those are who are seen in an image.

        Args:
            followed: ids, of those too who are unseen for a moment.
            seen: the people in the image.
            size: width and height of the image in pixels.
            header: of the image.
        """
        self._header = header
        self._follow(followed)
        for person in seen:
            if person.id in self._regions:
                self._regions[person.id].publish(self._region_of(person, size))

    def forget(self) -> None:
        """Tell that nobody is followed any more."""
        if self._regions:
            self._follow(())

    def destroy(self) -> None:
        self.forget()
        self._node.destroy_publisher(self._tracked)

    def _follow(self, ids: Sequence[str]) -> None:
        """Publish the list; have a topic for each in it, and for nobody else."""
        for gone in self._regions.keys() - set(ids):
            self._node.destroy_publisher(self._regions.pop(gone))
        for new in set(ids) - self._regions.keys():
            topic = f"{_FACES}/{self._face(new)}/roi"
            # Without event handlers: rclpy 7.1 keeps a trace of each for as long as the node lives.
            events = PublisherEventCallbacks(use_default_callbacks=False)
            self._regions[new] = self._node.create_publisher(
                self._region, topic, _DEPTH, event_callbacks=events
            )
        self._tracked.publish(self._ids_list(header=self._header, ids=[self._face(one) for one in ids]))

    def _face(self, person: str) -> str:
        return f"{self._prefix}_{person}"

    def _region_of(self, person: Detection, size: tuple[int, int]) -> Any:
        """Return the region, in shares of the image."""
        x, y, width, height = person.box
        left, right = (min(max(at / size[0], 0.0), 1.0) for at in (x, x + width))
        top, bottom = (min(max(at / size[1], 0.0), 1.0) for at in (y, y + height))
        return self._region(header=self._header, xmin=left, ymin=top, xmax=right, ymax=bottom, c=1.0)
