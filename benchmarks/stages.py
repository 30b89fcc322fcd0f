"""Where the time of a frame goes, inside the real node: runs `benchmarks.traced` and reads its lines.

Images are asked for one after another, as for the end-to-end figures; once also at a camera's rate, where
every frame finds colder caches and sleeping cores.
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
END_TO_END = "end to end"
_RATE = 15.0  # frames a second of the slow camera
_SETTLE = 1.0  # seconds until a new subscriber is known everywhere
_FIRST = 2  # lines of a case that do not count

Medians = dict[str, float]


def measure_stages(node: Node, executor: SingleThreadedExecutor, seconds: float) -> dict[str, Medians]:
    """Return the median milliseconds of each stage by case, while somebody watches and while nobody does."""
    trace = Path(tempfile.mkdtemp()) / "trace.jsonl"
    camera = Camera(node, executor, "/traced")
    count = round(_RATE * seconds)
    messages = {case: as_messages(frames(*case)) for case in CASES}
    base = messages[CASES[0]]

    def asked(images: Sequence[ImageMsg]) -> list[Answer]:
        return camera.ask([images[number % len(images)] for number in range(count)])

    with NodeProcess(["benchmarks.traced", str(trace), "--ros-args", "-r", "__ns:=/traced"],
                     trace.with_suffix(".log")) as process:  # fmt: skip
        camera.first_answer(base[0], lambda: process.alive)
        results = {
            "{}x{}, {}".format(*case): _medians(trace, lambda images=images: asked(images))
            for case, images in messages.items()
        }
        rate = f"640x480, 1, {_RATE:.0f} a second"
        results[rate] = _medians(trace, lambda: camera.stream(base, _RATE, seconds)[1])
        topic = "/traced/mask_detector/annotated_image"
        watching = node.create_subscription(ImageMsg, topic, lambda message: None, 1)
        camera.wait(_SETTLE)
        results["640x480, 1, watched"] = _medians(trace, lambda: asked(base))
        node.destroy_subscription(watching)
    camera.close()
    return results


def _medians(trace: Path, send: Callable[[], list[Answer]]) -> Medians:
    """Return what the trace tells of the images that `send` sends, and the latency of their answers."""
    already = len(trace.read_text().splitlines())
    latency = milliseconds(send())
    lines = [json.loads(line) for line in trace.read_text().splitlines()[already + _FIRST :]]
    stages = (*STAGES, *DETECTOR_STAGES)
    spent = {stage: float(np.median([line.get(stage, 0.0) for line in lines])) for stage in stages}
    return {END_TO_END: latency, **spent}
