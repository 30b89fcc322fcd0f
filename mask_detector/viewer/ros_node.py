"""The viewer's edge to ROS: finds the detectors in the graph, and tells `Live` what they say.

It runs in a thread of its own. Annotated images are subscribed to only while somebody looks, best
effort and the newest one only, so that no viewer ever holds a detector up.
"""

import asyncio
import traceback
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import ParameterEvent
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.task import Future

from mask_detector.diagnostics import PAUSED
from mask_detector.errors import MaskDetectorError
from mask_detector.health import Level, Status
from mask_detector.viewer.detector_link import DetectorLink
from mask_detector.viewer.faces import Faces, Policy
from mask_detector.viewer.live import Live

_LOOK = 0.1  # seconds until it is noticed that somebody looks
_SEARCH = 1.0  # seconds between two looks at the graph
_FORGET = 600  # seconds after which a detector that has gone is dropped
_PATIENCE = 5.0  # seconds until a detector's answer is given up
_ARRAYS = "vision_msgs/msg/Detection2DArray"


class ViewerNode(Node):
    """Listens to all detectors.

    Args:
        live: what is told; in the thread of `loop`.
        policy: what may be done with faces.
    """

    def __init__(self, live: Live, loop: asyncio.AbstractEventLoop, policy: Policy) -> None:
        super().__init__("viewer")
        self.live, self._loop, self._policy = live, loop, policy
        self._links: dict[str, DetectorLink] = {}
        self._gone: dict[str, int] = {}
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self.create_subscription(ParameterEvent, "/parameter_events", self._on_parameters, 10)
        self.create_timer(_SEARCH, self._search)
        self.create_timer(_LOOK, self._look)
        self._search()

    def tell(self, what: Callable, *values: Any) -> None:
        """Call a function in the thread of the event loop, unless that has ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *values)

    async def set_parameter(self, name: str, parameter: str, value: float) -> None:
        """Set a parameter of a detector; raise MaskDetectorError with its reason if it refuses."""
        request = Parameter(parameter, value=value).to_parameter_msg()
        result = (await self._ask(lambda: self._link(name).set_parameter(request))).results[0]
        if not result.successful:
            raise MaskDetectorError(result.reason)

    async def enable(self, name: str, enabled: bool) -> None:
        """Pause or resume a detector; raise MaskDetectorError if it does not answer."""
        await self._ask(lambda: self._link(name).enable(enabled))

    def _link(self, name: str) -> DetectorLink:
        if name not in self._links:
            raise MaskDetectorError(f"there is no detector '{name}'")
        return self._links[name]

    async def _ask(self, call: Callable[[], Future]) -> Any:
        answer: asyncio.Future = self._loop.create_future()

        def done(future: Future) -> None:
            self.tell(lambda: answer.done() or answer.set_result(future.result()))

        call().add_done_callback(done)
        try:
            return await asyncio.wait_for(answer, _PATIENCE)
        except asyncio.TimeoutError:  # another class than the built-in before Python 3.11
            raise MaskDetectorError(f"the detector has not answered for {_PATIENCE:.0f} s") from None

    def _search(self) -> None:
        """Look for detectors that came or went."""
        found = self._detectors()
        for name in found - self._links.keys():
            self.tell(self.live.appeared, name, False)
            self._links[name] = DetectorLink(self, name, Faces(name, self._policy))
        for name, link in list(self._links.items()):
            if link.alive != (name in found):
                link.alive = name in found
                self.tell(self.live.appeared, name, link.alive)
            link.refresh()
            self._gone[name] = 0 if link.alive else self._gone.get(name, 0) + 1
            if self._gone[name] * _SEARCH > _FORGET:
                self._drop(name)

    def _detectors(self) -> set[str]:
        """Return the names of the nodes that publish both detections and changes of state."""
        topics = {name for name, types in self.get_topic_names_and_types() if _ARRAYS in types}
        ends = ("/detections", "/state_changes")
        names = (topic.removesuffix(ends[0]) for topic in topics if topic.endswith(ends[0]))
        return {name for name in names if name and all(self.count_publishers(name + end) for end in ends)}

    def _drop(self, name: str) -> None:
        self._links.pop(name).destroy()
        del self._gone[name]
        self.tell(self.live.forgotten, name)

    def _look(self) -> None:
        for name, link in self._links.items():
            link.show(link.alive and self.live.watched(name))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        said: dict[str, list[DiagnosticStatus]] = {}
        for status in message.status:
            said.setdefault("/" + status.name.partition(":")[0], []).append(status)
        for name in said.keys() & self._links.keys():
            statuses = [_to_status(status) for status in said[name]]
            self._links[name].listen_to(said[name][0].hardware_id)
            self.tell(self.live.told, name, statuses, any(one.message == PAUSED for one in statuses))

    def _on_parameters(self, event: ParameterEvent) -> None:
        link = self._links.get(event.node)
        if link and (event.new_parameters or event.changed_parameters):
            link.doubt()
            link.refresh()


def _to_status(message: DiagnosticStatus) -> Status:
    name = message.name.partition(": ")[2]
    values = {entry.key: entry.value for entry in message.values}
    return Status(name, Level(min(message.level[0], Level.STALE)), message.message, values)


class RosThread:
    """Runs a node until `stop`; one strange message may not end it, so what a callback raises is logged."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._ending = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._executor.spin_once(timeout_sec=0.5)
            except ExternalShutdownException:
                return
            except Exception:
                self._node.get_logger().error(
                    f"unexpected failure:\n{traceback.format_exc()}", throttle_duration_sec=60.0
                )

    def stop(self) -> None:
        """End the thread and the node."""
        self._ending.set()
        self._executor.wake()
        self._thread.join(timeout=5.0)
        self._node.destroy_node()
