"""A robot that greets who comes, asks once for the mask to be put right, and says thanks.

It hears `mask_detector/state_changes`, where each thing is told once, and says lines of text on
`say` for a speech node. Remap both as you like.
"""

from collections.abc import Sequence

from rclpy.event_handler import QoSSubscriptionMatchedInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from std_msgs.msg import String
from vision_msgs.msg import Detection2D, Detection2DArray

from mask_detector.node_main import run_node

_ASK = {
    "improper_mask": "Please pull your mask over mouth and nose.",
    "no_mask": "Please put on a mask.",
}
_LEFT = ""  # the class of a person who has left


class Greeter(Node):
    """Greets each person, and asks each at most once."""

    def __init__(self) -> None:
        super().__init__("greeter")
        self._greeted: set[str] = set()
        self._asked: set[str] = set()
        self._waited_for: set[str] = set()
        self._speech = self.create_publisher(String, "say", 10)
        self.create_subscription(
            Detection2DArray,
            "mask_detector/state_changes",
            self._on_changes,
            10,
            event_callbacks=SubscriptionEventCallbacks(matched=self._on_detector),
        )

    def _on_detector(self, detectors: QoSSubscriptionMatchedInfo) -> None:
        """Forget everybody when a detector comes: one that was started again begins anew with its ids."""
        if detectors.current_count_change > 0:
            for people in (self._greeted, self._asked, self._waited_for):
                people.clear()

    def _on_changes(self, message: Detection2DArray) -> None:
        for person in message.detections:
            self._meet(person)

    def _meet(self, person: Detection2D) -> None:
        state = person.results[0].hypothesis.class_id
        if state == _LEFT:
            for people in (self._greeted, self._asked, self._waited_for):
                people.discard(person.id)
            return
        if person.id not in self._greeted:
            self._greeted.add(person.id)
            self._say("Hello!")
        if state in _ASK and person.id not in self._asked:
            self._asked.add(person.id)
            self._waited_for.add(person.id)
            self._say(_ASK[state])
        elif state == "mask" and person.id in self._waited_for:
            self._waited_for.discard(person.id)
            self._say("Thank you.")

    def _say(self, text: str) -> None:
        self.get_logger().info(text)
        self._speech.publish(String(data=text))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(Greeter, arguments)
