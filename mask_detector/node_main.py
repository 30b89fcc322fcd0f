"""Run a node until Ctrl-C or SIGTERM, with exit code 0 and without a trace."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.logging import get_logger
from rclpy.node import Node

from mask_detector.errors import MaskDetectorError
from mask_detector.transport import transport_environment


def run_node(make_node: Callable[[], Node], arguments: Sequence[str] | None = None) -> int:
    """Make a node and spin it; return the exit code.

    Args:
        make_node: called once ROS is initialised; MaskDetectorError and ParameterException
            raised there are told in one line, and the exit code is 1.
        arguments: the command line, by default that of the process.
    """
    os.environ.update(transport_environment())
    try:
        rclpy.init(args=None if arguments is None else [sys.argv[0], *arguments])
    except RuntimeError as error:  # an unknown ROS argument, a damaged parameter file
        print(f"ROS cannot start with these arguments: {error}", file=sys.stderr)
        return 1
    node = None
    try:
        node = make_node()
        with ended_by_shutdown(node):
            rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (MaskDetectorError, ParameterException) as error:
        get_logger("mask_detector").fatal(str(error))
        return 1
    finally:
        if node:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


@contextmanager
def ended_by_shutdown(node: Node) -> Iterator[None]:
    """End quietly what is at work when a signal shuts ROS down: its publishers fail from then on."""
    try:
        yield
    except RuntimeError:  # RCLError is one
        if node.context.ok():
            raise
