"""A ROS graph of one's own, on this machine only, for as long as something is measured."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from mask_detector.memory import keep_freed_memory
from mask_detector.transport import transport_environment


@contextmanager
def graph() -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """Give a node and the executor that it is in; processes started meanwhile are in the same graph."""
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ.update(transport_environment())
    keep_freed_memory()
    rclpy.init(args=[])
    node, executor = Node("bench"), SingleThreadedExecutor()
    executor.add_node(node)
    try:
        yield node, executor
    finally:
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
