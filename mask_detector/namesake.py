"""Says so when another node has the same name: ROS allows it, and parameters and services go astray."""

import time

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

_PERIOD = 5.0  # seconds between two looks
_PATIENCE = 30.0  # seconds; who was killed is still listed for twenty, beside the one started in their place


class NamesakeWatch:
    """Warns once when there has been a second node of this name for a while."""

    def __init__(self, node: Node, period: float = _PERIOD, patience: float = _PATIENCE) -> None:
        self._node, self._patience = node, patience
        self._since: float | None = None
        self._said = False
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # simulated time may stand still
        node.create_timer(period, self._look, clock=steady)

    def _look(self) -> None:
        own = (self._node.get_name(), self._node.get_namespace())
        if self._node.get_node_names_and_namespaces().count(own) < 2:
            self._since, self._said = None, False
            return
        now = time.monotonic()
        self._since = self._since or now
        if not self._said and now - self._since >= self._patience:
            self._said = True
            name = self._node.get_fully_qualified_name()
            self._node.get_logger().warning(
                f"there is another node {name}: stop one of them, or give it a name or namespace of its own "
                f"(-r __node:=other, -r __ns:=/left)"
            )
