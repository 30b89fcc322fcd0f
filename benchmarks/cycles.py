"""Whether switching on and off leaves anything behind: `python -m benchmarks.cycles`.

Hundreds of pauses through ~/enable, then of whole life cycles in which the models are loaded anew; memory,
handles and threads before and after, and an answer at the end.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import SetBool

from benchmarks.camera import Camera, as_messages
from benchmarks.frames import frames
from benchmarks.graph import graph
from benchmarks.node_process import NodeProcess

_NODE = "/cycles/mask_detector"
_ROUND = (
    Transition.TRANSITION_DEACTIVATE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_ACTIVATE,
)
_GROWTH = 1.02
_WARM = 0.2  # share of the rounds after which everything has its size


class Caller:
    """Calls the node's services, one after another."""

    def __init__(self, node: Node, executor: SingleThreadedExecutor) -> None:
        self._executor = executor
        self._enable = node.create_client(SetBool, f"{_NODE}/enable")
        self._change = node.create_client(ChangeState, f"{_NODE}/change_state")
        for client in (self._enable, self._change):
            client.wait_for_service()

    def pause_and_resume(self) -> None:
        for wanted in (False, True):
            self._call(self._enable, SetBool.Request(data=wanted))

    def live_again(self) -> None:
        for number in _ROUND:
            self._call(self._change, ChangeState.Request(transition=Transition(id=number)))

    def _call(self, client: Any, request: Any) -> None:
        future = client.call_async(request)
        self._executor.spin_until_future_complete(future, timeout_sec=60)
        if not future.done() or not future.result().success:
            raise SystemExit(f"cycles: {client.srv_name} failed on {request}")


def repeat(title: str, rounds: int, act: Callable[[], None], process: NodeProcess) -> bool:
    """Act so often; print what grew after the first rounds, and return whether nothing did."""
    for _ in range(max(1, round(_WARM * rounds))):
        act()
    before = process.memory, process.handles, process.threads
    for _ in range(rounds):
        act()
    after = process.memory, process.handles, process.threads
    good = after[0] <= _GROWTH * before[0] and after[1:] <= before[1:]
    print(
        f"{'good' if good else 'BAD '} {rounds} times {title}: memory {before[0]:.1f} → {after[0]:.1f} MB, "
        f"handles {before[1]} → {after[1]}, threads {before[2]} → {after[2]}",
        flush=True,
    )
    return good


def main() -> int:
    """Run the cycles; return the exit code."""
    parser = argparse.ArgumentParser(prog="cycles", description=__doc__.split("\n\n")[0])
    parser.add_argument("--enable", type=int, default=300, help="pauses")
    parser.add_argument("--life", type=int, default=60, help="life cycles")
    options = parser.parse_args()
    message = as_messages(frames(640, 480, 1))[0]
    arguments = ["mask_detector", "detector", "--ros-args", "-r", "__ns:=/cycles"]
    log = Path(tempfile.mkdtemp()) / "cycles.log"
    with graph() as (node, executor), NodeProcess(arguments, log) as process:
        camera = Camera(node, executor, "/cycles")
        camera.first_answer(message, lambda: process.alive)
        caller = Caller(node, executor)
        good = repeat("paused and resumed", options.enable, caller.pause_and_resume, process)
        good &= repeat("configured anew", options.life, caller.live_again, process)
        camera.first_answer(message, lambda: process.alive)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
