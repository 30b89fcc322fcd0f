"""A probe in the ROS graph, and nodes in processes of their own: tests go over real DDS."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.task import Future
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header

PATIENCE = 30.0  # seconds; a test that waits longer has failed
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Probe:
    """A node of the test's own: it publishes images, collects what comes back and calls services."""

    def __enter__(self) -> "Probe":
        rclpy.init()
        self.node = Node("probe")
        self.received: dict[str, list[Any]] = {}
        self._stamp = 0
        return self

    def __exit__(self, kind: type | None, error: Exception | None, trace: TracebackType | None) -> None:
        self.node.destroy_node()
        rclpy.try_shutdown()

    def subscribe(self, kind: type, topic: str, qos: QoSProfile | int = 10) -> Any:
        """Collect what comes on `topic` in `received[topic]`."""
        collected = self.received.setdefault(topic, [])
        return self.node.create_subscription(kind, topic, collected.append, qos)

    def until(self, happened: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
        """Spin until `happened()` is true and return its value; fail with `what` after a while."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if value := happened():
                return value
            rclpy.spin_once(self.node, timeout_sec=0.02)
        counts = {topic: len(messages) for topic, messages in self.received.items()}
        raise AssertionError(f"waited {patience:.0f} s in vain for {what}; received: {counts}")

    def spin(self, seconds: float) -> None:
        """Spin for a while, to see that something does not come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            rclpy.spin_once(self.node, timeout_sec=0.02)

    def header(self) -> Header:
        """A header that no other message of this probe has."""
        self._stamp += 1
        header = Header(frame_id="front_camera_optical_frame")
        header.stamp.sec, header.stamp.nanosec = 1_000 + self._stamp, 123_456_789
        return header

    def ask(self, publisher: Any, message: ImageMsg | CompressedImage, topic: str) -> Any:
        """Publish `message` until the answer with its stamp comes on `topic`; images are best effort."""
        sent = 0.0

        def answer() -> Any:
            nonlocal sent
            if time.monotonic() - sent > 1.0:
                publisher.publish(message)
                sent = time.monotonic()
            stamp = message.header.stamp
            return next((one for one in self.received[topic] if one.header.stamp == stamp), None)

        return self.until(answer, f"the answer on {topic}")

    def call(self, kind: type, service: str, request: Any, patience: float = PATIENCE) -> Any:
        """Call a service and return its response."""
        client = self.node.create_client(kind, service)
        self.until(client.service_is_ready, f"service {service}")
        future: Future = client.call_async(request)
        self.until(future.done, f"the response of {service}", patience)
        self.node.destroy_client(client)
        return future.result()

    def set_parameter(self, node: str, name: str, value: Any) -> Any:
        """Set one parameter of another node; return its SetParametersResult."""
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        return self.call(SetParameters, f"{node}/set_parameters", request).results[0]

    def get_parameters(self, node: str, names: Sequence[str]) -> list[Any]:
        values = self.call(GetParameters, f"{node}/get_parameters", GetParameters.Request(names=names)).values
        return [rclpy.parameter.parameter_value_to_python(value) for value in values]

    def state(self, node: str) -> str:
        """Return where in its life cycle another node is."""
        try:
            return self._state(node, PATIENCE / 3)
        except AssertionError:  # seen twice in some thousand starts: DDS lost the response
            return self._state(node, PATIENCE)

    def _state(self, node: str, patience: float) -> str:
        request = GetState.Request()
        return self.call(GetState, f"{node}/get_state", request, patience).current_state.label

    def change_state(self, node: str, *transitions: int) -> list[bool]:
        """Lead another node through its life cycle; return which of the transitions succeeded."""
        requests = [ChangeState.Request(transition=Transition(id=number)) for number in transitions]
        return [self.call(ChangeState, f"{node}/change_state", request).success for request in requests]

    def describe_parameters(self, node: str, names: Sequence[str]) -> list[Any]:
        request = DescribeParameters.Request(names=names)
        return self.call(DescribeParameters, f"{node}/describe_parameters", request).descriptors


class Process:
    """An executable of the package in a process of its own, its output in a file."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self._log = log
        # A crash of the middleware says where it was.
        command = [sys.executable, "-X", "faulthandler", "-m", "mask_detector", *arguments]
        self._process = subprocess.Popen(command, stdout=log.open("w"), stderr=subprocess.STDOUT)

    @property
    def output(self) -> str:
        return self._log.read_text()

    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, number: int) -> None:
        """Send a signal, if the process is still there."""
        if self.alive():
            self._process.send_signal(number)

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code; kill and fail if the process does not end."""
        self.send(with_signal)
        return self.wait()

    def wait(self, patience: float = PATIENCE) -> int:
        try:
            return self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"still running after {patience:.0f} s:\n{self.output}") from None


@contextmanager
def running(*arguments: str, log: Path) -> Iterator[Process]:
    """Run an executable for as long as the block lasts."""
    process = Process(arguments, log)
    try:
        yield process
    except BaseException:
        process.stop()
        raise
    code = process.stop()
    assert code == 0, f"ended with exit code {code}:\n{process.output}"
    assert "Traceback" not in process.output
