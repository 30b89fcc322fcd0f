"""Where the time of a frame goes, inside the real node: runs `benchmarks.traced` and reads its lines.

Images are asked for one after another, as for the end-to-end figures; once also at a camera's rate, where
every frame finds colder caches and sleeping cores. A node that answers at once tells the transport's share.
All of it is done several times over, and the median of these turns is what counts.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image as ImageMsg

from benchmarks.camera import Answer, Camera, as_messages, milliseconds
from benchmarks.frames import frames
from benchmarks.node_process import NodeProcess
from benchmarks.traced import DETECTOR_STAGES, STAGES

CASES = ((640, 480, 1), (640, 480, 8), (1920, 1080, 1))
END_TO_END, TRANSPORT = "end to end", "transport alone"
_RATE = 15.0  # frames a second of the slow camera
_SETTLE = 1.0  # seconds until a new subscriber is known everywhere
_TURNS = 3
_FIRST = 2  # lines of a case that do not count

Medians = dict[str, float]


def measure_stages(node: Node, executor: SingleThreadedExecutor, seconds: float) -> dict[str, Medians]:
    """Return the median milliseconds of each stage by case, while somebody watches and while nobody does."""
    folder = Path(tempfile.mkdtemp())
    trace, count = folder / "trace.jsonl", round(_RATE * seconds)
    cameras = [Camera(node, executor, f"/{name}") for name in ("traced", "nothing")]
    images = {case: as_messages(frames(*case)) for case in CASES}
    base = images[CASES[0]]

    def asked(camera: Camera, messages: Sequence[ImageMsg]) -> list[Answer]:
        return camera.ask([messages[number % len(messages)] for number in range(count)])

    def answered(messages: Sequence[ImageMsg]) -> Medians:
        spent = _medians(trace, lambda: asked(cameras[0], messages))
        return spent | {TRANSPORT: milliseconds(asked(cameras[1], messages))}

    def turn() -> dict[str, Medians]:
        results = {"{}x{}, {}".format(*case): answered(messages) for case, messages in images.items()}
        rate = f"640x480, 1, {_RATE:.0f} a second"
        results[rate] = _medians(trace, lambda: cameras[0].stream(base, _RATE, seconds)[1])
        topic = "/traced/mask_detector/annotated_image"
        watching = node.create_subscription(ImageMsg, topic, lambda message: None, 1)
        cameras[0].wait(_SETTLE)
        results["640x480, 1, watched"] = _medians(trace, lambda: asked(cameras[0], base))
        node.destroy_subscription(watching)
        return results

    with (
        NodeProcess(_command("traced", str(trace)), folder / "traced.log") as traced,
        NodeProcess(_command("nothing", "nothing", "1"), folder / "nothing.log") as nothing,
    ):
        for camera, process in zip(cameras, (traced, nothing), strict=True):
            camera.first_answer(base[0], lambda process=process: process.alive)
        turns = [turn() for _ in range(_TURNS)]
    for camera in cameras:
        camera.close()
    return {case: _middle([results[case] for results in turns]) for case in turns[0]}


def _middle(turns: list[Medians]) -> Medians:
    return {figure: float(np.median([turn[figure] for turn in turns])) for figure in turns[0]}


def _command(name: str, *options: str) -> list[str]:
    module = "benchmarks.traced" if name == "traced" else "benchmarks.recipe"
    return [module, *options, "--ros-args", "-r", f"__ns:=/{name}"]


def _medians(trace: Path, send: Callable[[], list[Answer]]) -> Medians:
    """Return what the trace tells of the images that `send` sends, and the latency of their answers."""
    already = len(trace.read_text().splitlines())
    latency = milliseconds(send())
    lines = [json.loads(line) for line in trace.read_text().splitlines()[already + _FIRST :]]
    stages = (*STAGES, *DETECTOR_STAGES)
    spent = {stage: float(np.median([line.get(stage, 0.0) for line in lines])) for stage in stages}
    return {END_TO_END: latency, **spent}
