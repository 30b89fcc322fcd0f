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
from mask_detector.follow import People
from mask_detector.image_output import ImageOutput

STAGES = ("receive", "convert", "detect", "crop", "classify", "follow", "publish", "draw", "rest")


class Trace:
    """Adds up the time of each stage within one frame."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "w", buffering=1)  # noqa: SIM115  (for as long as the process lives)
        self._spent: dict[str, float] = defaultdict(float)

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

    def frame(self, receive: Callable) -> Callable:
        """Return the callback that takes an image; around it lies everything else."""

        @wraps(receive)
        def timed(source: Any, message: Any, info: Any) -> None:
            stamp = message.header.stamp
            self._spent.clear()
            began = time.monotonic_ns()
            receive(source, message, info)
            whole = (time.monotonic_ns() - began) / 1e6
            rest = whole - sum(self._spent.values())
            waited = (began - stamp.sec * 1_000_000_000 - stamp.nanosec) / 1e6
            print(json.dumps({**self._spent, "receive": waited, "rest": rest}), file=self._file)

        return timed

    def method(self, name: str, owner: Any, attribute: str) -> None:
        """Put a clock around a function or method where it stands."""
        setattr(owner, attribute, self.stage(name, getattr(owner, attribute)))


def main() -> None:
    """Run the node with clocks in it."""
    trace = Trace(sys.argv[1])
    image_input.ImageInput._receive = trace.frame(image_input.ImageInput._receive)
    trace.method("convert", image_input, "to_bgr")
    trace.method("detect", pipeline.MaskDetector, "find")
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
