"""Where the time of a frame goes, inside the real node: runs `benchmarks.traced` and reads its lines."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image as ImageMsg

from benchmarks.camera import Camera, as_messages
from benchmarks.frames import frames
from benchmarks.node_process import NodeProcess
from benchmarks.traced import DETECTOR_STAGES, STAGES

CASES = ((640, 480, 1), (640, 480, 8), (1920, 1080, 1))
_RATE = 15.0  # frames a second; the slowest case keeps up
_SETTLE = 1.0  # seconds until a new subscriber is known everywhere


def measure_stages(node: Node, executor: SingleThreadedExecutor, seconds: float) -> dict[str, Any]:
    """Return the median milliseconds of each stage by case, while somebody watches and while nobody does."""
    trace = Path(tempfile.mkdtemp()) / "trace.jsonl"
    camera = Camera(node, executor, "/traced")
    with NodeProcess(["benchmarks.traced", str(trace), "--ros-args", "-r", "__ns:=/traced"],
                     trace.with_suffix(".log")) as process:  # fmt: skip
        camera.first_answer(as_messages(frames(*CASES[0], 1))[0], lambda: process.alive)
        results = {"{}x{}, {}".format(*case): _medians(camera, trace, case, seconds) for case in CASES}
        topic = "/traced/mask_detector/annotated_image"
        watching = node.create_subscription(ImageMsg, topic, lambda message: None, 1)
        camera.wait(_SETTLE)
        results["640x480, 1, watched"] = _medians(camera, trace, CASES[0], seconds)
        node.destroy_subscription(watching)
    camera.close()
    return results


def _medians(camera: Camera, trace: Path, case: tuple[int, int, int], seconds: float) -> dict[str, float]:
    already = len(trace.read_text().splitlines())
    camera.stream(as_messages(frames(*case)), _RATE, seconds)
    lines = [json.loads(line) for line in trace.read_text().splitlines()[already + 2 :]]
    stages = (*STAGES, *DETECTOR_STAGES)
    return {stage: float(np.median([line.get(stage, 0.0) for line in lines])) for stage in stages}
