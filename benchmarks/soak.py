"""Whether the node stays as it is for hours: `python -m benchmarks.soak [--minutes 5]`.

People come and go before a fast camera. Once a while memory, open handles, threads, latency and processor
time a frame are noted; the run fails where they grow. An hour makes some 200 000 frames.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.camera import Camera, as_messages, milliseconds
from benchmarks.frames import frames
from benchmarks.graph import graph
from benchmarks.node_process import NodeProcess

_SIZE = (320, 240)  # small, so that a slow machine answers each of so many frames
_CROWDS = (0, 1, 2, 4, 1)  # people, in turn
_RATE = 60.0  # frames a second that the camera sends, whether they are answered or not
_STRETCH = 2.0  # seconds with the same people
_WARM = 0.1  # share of the run that does not count: caches fill
_GROWTH = 1.02  # of the memory that may be resident at the end
_SLOWER = 1.25  # of the processor time a frame
_SILENCE = 60.0  # seconds without an answer that a busy machine may explain


@dataclass(frozen=True)
class Sample:
    """The state of the node at one moment, seconds after its start.

    Attributes:
        frames: answered so far.
        memory: resident megabytes.
        own: of them those of no file and no shared memory.
        handles, threads: open and running.
        latency: median milliseconds of the last stretch.
        cost: processor time of a frame in the last stretch, milliseconds.
    """

    seconds: float
    frames: int
    memory: float
    own: float
    handles: int
    threads: int
    latency: float
    cost: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:6.0f} s {self.frames:7d} frames {self.memory:6.1f} MB (own {self.own:5.1f}) "
            f"{self.handles:3d} handles {self.threads:3d} threads "
            f"{self.latency:5.1f} ms {self.cost:5.1f} ms CPU"
        )


def soak(minutes: float) -> list[Sample]:
    """Run the node for so long and return what was noted on the way."""
    messages = {faces: as_messages(frames(*_SIZE, faces)) for faces in set(_CROWDS)}
    log = Path(tempfile.mkdtemp()) / "soak.log"
    samples: list[Sample] = []
    arguments = ["mask_detector", "detector", "--ros-args", "-r", "__ns:=/soak"]
    with graph() as (node, executor), NodeProcess(arguments, log) as process:
        camera = Camera(node, executor, "/soak")
        camera.first_answer(messages[1][0], lambda: process.alive)
        began = heard = time.monotonic()
        answered = stretches = 0
        while time.monotonic() - began < 60 * minutes:
            before = process.processor_time
            _, answers = camera.stream(messages[_CROWDS[stretches % len(_CROWDS)]], _RATE, _STRETCH)
            answered, stretches = answered + len(answers), stretches + 1
            heard = time.monotonic() if answers else heard
            if not process.alive or time.monotonic() - heard > _SILENCE:
                raise SystemExit(f"soak: the node has ended or is silent; see {log}")
            if not answers:  # the machine has no time for anybody
                continue
            if stretches % len(_CROWDS) == 2:  # after the same people each time
                spent = 1000 * (process.processor_time - before) / len(answers)
                samples.append(
                    Sample(
                        time.monotonic() - began,
                        answered,
                        process.memory,
                        process.own_memory,
                        process.handles,
                        process.threads,
                        milliseconds(answers),
                        spent,
                    )
                )
                print(samples[-1], flush=True)
    return samples


def verdict(samples: Sequence[Sample]) -> list[str]:
    """Return what grew, between the first and the last third of what was noted when the node was warm."""
    warm = [sample for sample in samples if sample.seconds >= _WARM * samples[-1].seconds]
    third = max(1, len(warm) // 3)
    first, last = warm[:third], warm[-third:]
    limits = {"memory": _GROWTH, "own": _GROWTH, "handles": 1.0, "threads": 1.0, "cost": _SLOWER}
    grown = []
    for name, limit in limits.items():
        before, after = (float(np.median([getattr(one, name) for one in part])) for part in (first, last))
        if after > before * limit:
            grown.append(f"{name} grew from {before:.1f} to {after:.1f}")
    return grown


def main() -> int:
    """Soak, and tell what grew; return the exit code."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    samples = soak(parser.parse_args().minutes)
    grown = verdict(samples)
    print(f"soak: {samples[-1].frames} frames in {samples[-1].seconds / 60:.0f} min; ", end="")
    print("; ".join(grown) or "memory flat within 2 %, no handle or thread more, no slower")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
