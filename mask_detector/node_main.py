"""Run a node until Ctrl-C or SIGTERM, with exit code 0 and without a trace."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import getdoc
from itertools import takewhile
from pathlib import Path

import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.signals import uninstall_signal_handlers

from mask_detector.errors import MaskDetectorError
from mask_detector.memory import keep_freed_memory
from mask_detector.transport import transport_environment


class _Executor(SingleThreadedExecutor):
    """The usual executor, which leaves no trace where a signal comes while it is made."""

    _sigint_gc = None  # rclpy's own looks for it when it goes, made or not (7.1.6)


def run_node(make_node: type[Node], arguments: Sequence[str] | None = None) -> int:
    """Make a node and spin it; return the exit code.

    Args:
        make_node: the node's class, called once ROS is initialised; MaskDetectorError and ParameterException
            raised there are told in one line, and the exit code is 1.
        arguments: the command line, by default that of the process.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if own := list(takewhile(lambda argument: argument != "--ros-args", arguments)):
        return _explain(own, make_node)
    os.environ.update(transport_environment())
    keep_freed_memory()
    try:
        rclpy.init(args=[sys.argv[0], *arguments, *log_options()])
    except RuntimeError as error:  # an unknown ROS argument, a damaged parameter file
        print(f"ROS cannot start with these arguments: {error}", file=sys.stderr)
        return 1
    node = None
    try:
        with ended_by_shutdown(), _deaf_afterwards():
            node = make_node()
            executor = _Executor()  # by name: it has to outlive what signals may still do
            rclpy.spin(node, executor)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RCLError as error:  # the middleware refuses: a missing keystore, a name that is none
        if node:
            raise
        print(f"ROS cannot make the node: {error}", file=sys.stderr)
        return 1
    except (MaskDetectorError, ParameterException) as error:
        if rclpy.ok():  # else a signal has shut ROS down meanwhile
            get_logger(node.get_name() if node else make_node.__name__).fatal(str(error))
            return 1
    finally:
        if node:
            node.destroy_node()
        rclpy.try_shutdown()
    return getattr(node, "exit_code", 0)


def log_options() -> list[str]:
    """Return what lets ROS start where it cannot write its log, on a read-only disk for example."""
    home = os.environ.get("ROS_HOME") or "~/.ros"
    folder = Path(os.environ.get("ROS_LOG_DIR") or f"{home}/log").expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return []
        reason = "it is read-only"
    except OSError as error:
        reason = str(error.strerror)
    print(f"no log in {folder} ({reason}): ROS_LOG_DIR may name another folder", file=sys.stderr)
    return ["--ros-args", "--disable-external-lib-logs"]


@contextmanager
def _deaf_afterwards() -> Iterator[None]:
    """Let the node end undisturbed: ros2 launch sends Ctrl-C on to nodes that have heard it, and SIGTERM too.

    What rclpy does about a signal it does in a thread, which wakes the executor: it would crash on one that
    is gone (rclpy 7.1).
    """
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        uninstall_signal_handlers()  # waits for that thread, and leaves alone what was just set


def _explain(arguments: Sequence[str], make_node: type[Node]) -> int:
    """Print how the node is used; anything but a call for help is wrong usage."""
    wanted = arguments[0] in ("-h", "--help")
    complaint = "" if wanted else f"'{arguments[0]}' is no ROS argument. "
    usage = "Arguments are ROS's own: --ros-args -p PARAMETER:=VALUE -r TOPIC:=NAME --params-file FILE"
    purpose = (getdoc(make_node) or "").partition("\n")[0]
    print(
        f"{complaint}{usage}\n{purpose} The README tells topics and parameters.",
        file=sys.stdout if wanted else sys.stderr,
    )
    return 0 if wanted else 2


@contextmanager
def ended_by_shutdown() -> Iterator[None]:
    """End quietly what is at work when a signal shuts ROS down: its publishers fail from then on."""
    try:
        yield
    except RuntimeError:  # RCLError is one
        if rclpy.ok():
            raise
