"""The detector node with a clock at each of its stages: `python -m benchmarks.traced FILE --ros-args …`.

The stages are wrapped from outside, so that the node itself carries no clocks. FILE gets a line of JSON
for each frame, with milliseconds for each stage.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

from mask_detector import detector_node, image_input, pipeline
from mask_detector.detection_output import DetectionOutput
from mask_detector.face_detectors import cells, litert, yunet
from mask_detector.follow import People
from mask_detector.image_output import ImageOutput

STAGES = ("receive", "convert", "detect", "crop", "classify", "follow", "publish", "draw", "rest")
DETECTOR_STAGES = (
    "resize",
    "network",
    "decode",
    "nms",
)  # parts of "detect", of which some is in none of them


class Trace:
    """Adds up the time of each stage within one frame."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "w", buffering=1)  # noqa: SIM115  (for as long as the process lives)
        self._spent: dict[str, float] = defaultdict(float)
        self._within: dict[str, float] = defaultdict(float)

    def stage(self, name: str, function: Callable) -> Callable:
        """Return the function with a clock around it."""

        @wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self._spent[name] += 1000 * (time.perf_counter() - began)

        return timed

    def part(self, name: str, function: Callable) -> Callable:
        """Return the function with a clock around it that leaves out the time of parts inside it."""

        @wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            began, before = time.perf_counter(), sum(self._within.values())
            try:
                return function(*arguments, **options)
            finally:
                inner = sum(self._within.values()) - before
                self._within[name] += 1000 * (time.perf_counter() - began) - inner

        return timed

    def frame(self, receive: Callable) -> Callable:
        """Return the callback that takes an image; around it lies everything else."""

        @wraps(receive)
        def timed(source: Any, message: Any, info: Any) -> None:
            stamp = message.header.stamp
            self._spent.clear()
            self._within.clear()
            began = time.monotonic_ns()
            receive(source, message, info)
            whole = (time.monotonic_ns() - began) / 1e6
            rest = whole - sum(self._spent.values())
            waited = (began - stamp.sec * 1_000_000_000 - stamp.nanosec) / 1e6
            line = {**self._spent, **self._within, "receive": waited, "rest": rest}
            print(json.dumps(line), file=self._file)

        return timed

    def method(self, name: str, owner: Any, attribute: str) -> None:
        """Put a clock around a function or method where it stands."""
        clock = self.part if name in DETECTOR_STAGES else self.stage
        setattr(owner, attribute, clock(name, getattr(owner, attribute)))

    def face_detector(self) -> None:
        """Put clocks into the face detectors that compute YuNet's maps."""
        self.method("resize", cells, "shrink")
        self.method("network", litert.LiteRTFaces, "_levels")
        self.method("network", yunet.YuNet, "_levels")
        for owner, step in ((litert, "level_of_parts"), (yunet, "score"), (cells, "_decoded")):
            self.method("decode", owner, step)
        self.method("nms", cells.cv2.dnn, "NMSBoxes")


def main() -> None:
    """Run the node with clocks in it."""
    trace = Trace(sys.argv[1])
    image_input.ImageInput._receive = trace.frame(image_input.ImageInput._receive)
    trace.method("convert", image_input, "to_bgr")
    trace.method("detect", pipeline.MaskDetector, "find")
    trace.face_detector()
    trace.method("crop", pipeline, "crop_faces")
    for step in ("find", "see", "learn"):
        trace.method("follow", People, step)
    trace.method("publish", DetectionOutput, "publish")
    trace.method("draw", detector_node, "draw_detections")
    trace.method("draw", ImageOutput, "publish")
    make = detector_node.make_classifier

    def make_timed(*arguments: Any) -> Any:
        classifier = make(*arguments)
        trace.method("classify", classifier, "classify")
        return classifier

    detector_node.make_classifier = make_timed
    sys.exit(detector_node.main(sys.argv[2:]))


if __name__ == "__main__":
    main()
