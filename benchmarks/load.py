"""What happens when more comes than can be done: `python -m benchmarks.load [SCENE…]`.

For each scene: how old the detections are when they come, beside the time that the node takes for an image
that waits for nobody; how many images were left out for newer ones, as counted here and as /diagnostics
tells it, between the turns too; memory. A scene has some turns, each with both times, and the median of
their ratios counts: the 99th percentile is that of a handful of answers, in which a moment shows that a
shared machine took.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image as ImageMsg

from benchmarks.camera import Answer, Camera, as_messages, milliseconds
from benchmarks.frames import frames
from benchmarks.graph import graph
from benchmarks.node_process import NodeProcess

_SECONDS = 10.0
_TURNS = 3
_OLDEST = 2.0  # processing times that a detection may be old, 99th percentile
_GROWTH = 1.05  # of the memory, once the scene has run for a moment
_BURST = 20  # images at once
_SLOW = 10.0  # images a second of a camera that is no load
_ALONE = 3.0  # seconds of it
_WARM = 3.0  # seconds of load that do not count
_TOLD = 1.5  # seconds until the next /diagnostics
_DEAF = """
import rclpy, time
from rclpy.node import Node
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray
rclpy.init()
node = Node("deaf")
node.create_subscription(Detection2DArray, "/load/mask_detector/detections", print, 10)
node.create_subscription(Image, "/load/mask_detector/annotated_image", print, 10)
time.sleep(3600)
"""


Sent = tuple[int, list[Answer]]  # how many images were sent, and the answers to them


@dataclass(frozen=True)
class Turn:
    """Some seconds of load, and the milliseconds that an image took which waited for nobody."""

    processing: float
    sent: int
    answers: list[Answer]

    @property
    def oldest(self) -> float:
        """Milliseconds, 99th percentile."""
        return milliseconds(self.answers, 99)

    @property
    def ratio(self) -> float:
        return self.oldest / self.processing


@dataclass
class Rig:
    """One node under load and the camera before it."""

    camera: Camera
    process: NodeProcess
    dropped: int = 0  # in all, as /diagnostics tells it
    dropped_before: int = 0
    memory: float = 0.0  # when it was warm

    def warm(self) -> None:
        """Note what is so before the load that counts."""
        self.camera.wait(_TOLD)
        self.dropped_before, self.memory = self.dropped, self.process.memory

    def alone(self, messages: Sequence[ImageMsg]) -> float:
        """Return the milliseconds that an image takes when nothing else is to be done.

        From a slow camera: asked for one after another they are faster, for the cores never sleep.
        """
        self.camera.ask(messages)
        return milliseconds(self.camera.stream(messages, _SLOW, _ALONE)[1])

    def judge(self, title: str, turns: Sequence[Turn]) -> bool:
        """Print a line; return whether it is as it should be."""
        self.camera.wait(_TOLD)
        ratio, grown = float(np.median([turn.ratio for turn in turns])), self.process.memory / self.memory
        sent = sum(turn.sent for turn in turns)
        left_out = sent - sum(len(turn.answers) for turn in turns)
        good = ratio <= _OLDEST and grown <= _GROWTH and self.process.alive
        print(
            f"{'good' if good else 'BAD '} {title}: "
            f"processing {_range(turn.processing for turn in turns)} ms, "
            f"age {_range(milliseconds(turn.answers) for turn in turns)} ms (median), "
            f"{_range(turn.oldest for turn in turns)} ms (99th), "
            f"{_range(turn.ratio for turn in turns)} x; "
            f"{left_out} of {sent} left out, /diagnostics tells {self.dropped - self.dropped_before}; "
            f"memory {self.memory:.0f} → {self.process.memory:.0f} MB",
            flush=True,
        )
        return good


class Load:
    """Scenes, each of which returns whether all was well."""

    def __init__(self, node: Node, executor: SingleThreadedExecutor, seconds: float) -> None:
        self._node, self._executor, self._seconds = node, executor, seconds

    @contextmanager
    def rig(self, name: str = "load", *parameters: str) -> Iterator[Rig]:
        """Run a node and a camera for the block; parameters as ROS has them, `threads:=1`."""
        given = [part for parameter in parameters for part in ("-p", parameter)]
        arguments = ["mask_detector", "detector", "--ros-args", "-r", f"__ns:=/{name}", *given]
        log = Path(tempfile.mkdtemp()) / "load.log"
        with NodeProcess(arguments, log) as process:
            rig = Rig(Camera(self._node, self._executor, f"/{name}"), process)

            def hear(message: DiagnosticArray) -> None:
                if message.status[0].name.startswith(f"{name}/"):
                    values = {pair.key: pair.value for pair in message.status[0].values}
                    rig.dropped = int(values.get("dropped", 0))

            heard = self._node.create_subscription(DiagnosticArray, "/diagnostics", hear, 10)
            rig.camera.first_answer(as_messages(frames(640, 480, 1))[0], lambda: process.alive)
            yield rig
            self._node.destroy_subscription(heard)
            rig.camera.close()

    def _stream(self, title: str, case: tuple[int, int, int], rate: float) -> bool:
        messages = as_messages(frames(*case))
        with self.rig() as rig:
            rig.camera.stream(messages, rate, _WARM)
            rig.warm()
            turns = [
                Turn(rig.alone(messages), *rig.camera.stream(messages, rate, self._seconds))
                for _ in range(_TURNS)
            ]
            return rig.judge(title, turns)

    def fast_camera(self) -> bool:
        """A camera of 1920x1080 at 60 fps."""
        return self._stream("1920x1080 at 60 fps", (1920, 1080, 1), 60.0)

    def crowd(self) -> bool:
        """Fifty faces at 30 fps."""
        return self._stream("50 faces, 1280x720 at 30 fps", (1280, 720, 50), 30.0)

    def deaf(self) -> bool:
        """Somebody subscribes to everything, reliably, and never reads."""
        with subprocess.Popen([sys.executable, "-c", _DEAF]) as process:
            try:
                return self._stream("a subscriber that never reads, 640x480 at 30 fps", (640, 480, 1), 30.0)
            finally:
                process.kill()

    def bursts(self) -> bool:
        """Many images at once, then none for a while."""
        messages = as_messages(frames(640, 480, 1))
        with self.rig() as rig:
            alone = rig.alone(messages)
            self._bursts(rig, messages, _WARM)
            rig.warm()
            turns = [self._bursts(rig, messages, self._seconds) for _ in range(_TURNS)]
            return rig.judge(f"bursts of {_BURST} images ({alone:.1f} ms from a slow camera)", turns)

    def _bursts(self, rig: Rig, messages: Sequence[ImageMsg], seconds: float) -> Turn:
        """Send bursts; the first image of each waits for nobody, and shares the cores with the camera."""
        every = [rig.camera.stream(messages, 1000.0, _BURST / 1000) for _ in range(round(seconds))]
        answers = [answer for _, came in every for answer in came]
        first = milliseconds([came[0] for _, came in every if came])
        return Turn(first, sum(sent for sent, _ in every), answers)

    def four_cameras(self) -> bool:
        """Four cameras and four nodes on this machine, of one thread each, as the README advises."""
        messages = as_messages(frames(640, 480, 1))
        with ExitStack() as stack:
            rigs = [stack.enter_context(self.rig(f"load{number}", "threads:=1")) for number in range(4)]
            self._together(rigs, messages, 30.0, _WARM)
            for rig in rigs:
                rig.warm()
            turns = [self._turn_together(rigs, messages) for _ in range(_TURNS)]
            titles = (f"camera {number} of four, 30 fps each" for number in range(1, 5))
            everybody = zip(rigs, titles, zip(*turns, strict=True), strict=True)
            return all([rig.judge(title, own) for rig, title, own in everybody])

    def _turn_together(self, rigs: Sequence[Rig], messages: Sequence[ImageMsg]) -> list[Turn]:
        """One image of each camera at a time shares the cores with the others: each takes that long."""
        alone = self._together(rigs, messages, 2.0, _ALONE)
        together = milliseconds([answer for _, answers in alone for answer in answers])
        return [Turn(together, *sent) for sent in self._together(rigs, messages, 30.0, self._seconds)]

    def _together(
        self, rigs: Sequence[Rig], messages: Sequence[ImageMsg], rate: float, seconds: float
    ) -> list[Sent]:
        for rig in rigs:
            rig.camera.answers.clear()
        began, count = time.monotonic(), round(rate * seconds)
        for number in range(count):
            rigs[0].camera.wait(began + number / rate - time.monotonic())
            for rig in rigs:
                rig.camera.send(messages[number % len(messages)])
        rigs[0].camera.wait(1.0)
        return [(count, list(rig.camera.answers)) for rig in rigs]


def _range(values: Iterable[float]) -> str:
    least, median, greatest = np.percentile(list(values), [0, 50, 100])
    return f"{median:.1f} ({least:.1f} to {greatest:.1f})"


def main() -> int:
    """Run the scenes that are named, by default all; return the exit code."""
    scenes: dict[str, Callable[[Load], bool]] = {
        name: getattr(Load, name) for name in ("fast_camera", "crowd", "deaf", "bursts", "four_cameras")
    }
    parser = argparse.ArgumentParser(prog="load", description=__doc__.split("\n\n")[0])
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"of {', '.join(scenes)}; all by default")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="how long each turn takes")
    options = parser.parse_args()
    if unknown := set(options.scenes) - set(scenes):
        parser.error(f"unknown scene {', '.join(unknown)}: choose from {', '.join(scenes)}")
    with graph() as (node, executor):
        load = Load(node, executor, options.seconds)
        results = [scenes[name](load) for name in options.scenes or scenes]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
