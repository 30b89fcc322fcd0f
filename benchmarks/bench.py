"""`make bench`: this project beside others, on the same frames, over real DDS, in one run.

Everybody is a node in a process of its own. They take turns of a fraction of a second, again and again,
so that a noisy machine is noisy for all alike; ratios are taken within a turn.
"""

import argparse
import compileall
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from benchmarks import report
from benchmarks.camera import Answer, Camera, as_messages, milliseconds
from benchmarks.contestants import OURS, Contestant, contestants
from benchmarks.frames import frames
from benchmarks.graph import graph
from benchmarks.machine import describe
from benchmarks.node_process import NodeProcess
from benchmarks.stages import measure_stages

BASE = (640, 480, 1)
SIZES = ((320, 240, 1), (1280, 720, 1), (1920, 1080, 1))
CROWDS = tuple((640, 480, faces) for faces in (2, 4, 8, 16, 32))
REPOSITORY = Path(__file__).resolve().parents[1]
_RATE = 30.0  # frames a second of the stream
_TURN = 0.3  # seconds, about, that a turn takes
_MOST = 40  # frames in a turn


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, how often ours is started, and seconds of a stream."""

    rounds: int = 7
    starts: int = 5
    stream: float = 5.0


QUICK = Effort(rounds=2, starts=3, stream=2.0)
Results = dict[str, Any]


class Runner:
    """A contestant at work, and what was measured of it."""

    def __init__(self, node: Node, executor: SingleThreadedExecutor, who: Contestant, threads: int) -> None:
        self.who, self._threads = who, threads
        self._log = Path(tempfile.gettempdir()) / f"bench_{who.name}_{threads}.log"
        self._camera = Camera(node, executor, f"/{who.name}")
        self.starts: list[float] = []
        self.cases: dict[str, list[list[Answer]]] = {}
        self.memory = self.most_memory = 0.0
        self.process: NodeProcess | None = None

    def start(self) -> None:
        """Start the node, and note how long it takes until its first detections."""
        self.process = NodeProcess(self.who.arguments(self._threads), self._log)
        try:
            first = self._camera.first_answer(as_messages(frames(*BASE, 1))[0], lambda: self.process.alive)
        except TimeoutError as error:
            self.process.stop()
            raise SystemExit(f"bench: {self.who.title}: {error}; see {self._log}") from None
        self.starts.append(first - self.process.began)

    def stop(self) -> None:
        self.process.stop()

    def turn(self, case: tuple[int, int, int]) -> None:
        """Answer the frames of a case for a moment."""
        messages = as_messages(frames(*case))
        if _key(case) not in self.cases:
            self._camera.ask(messages)  # caches and lazy set-up
        turns = self.cases.setdefault(_key(case), [])
        usual = turns[-1][-1].latency if turns else self._camera.ask(messages[:1])[0].latency
        count = int(np.clip(_TURN / usual, 2, _MOST))
        turns.append(self._camera.ask([messages[i % len(messages)] for i in range(count)]))
        self.most_memory = self.process.memory
        self.memory = self.memory or self.most_memory  # of the first case, before larger ones came

    def stream(self, seconds: float) -> Results:
        """Take a stream of 30 frames a second; return the share of one core and of the frames answered."""
        messages = as_messages(frames(*BASE))
        before, began = self.process.processor_time, time.monotonic()
        sent, answers = self._camera.stream(messages, _RATE, seconds)
        spent = (self.process.processor_time - before) / (time.monotonic() - began)
        return {"cores": spent, "answered": len(answers) / sent, "p99_ms": milliseconds(answers, 99)}

    def throughput(self, seconds: float) -> float:
        """Return frames a second when more come than it can take."""
        median = milliseconds(self.cases[_key(BASE)][-1])
        _, answers = self._camera.stream(as_messages(frames(*BASE)), 2000 / median, seconds)
        return (len(answers) - 1) / max(answers[-1].received - answers[0].received, 1e-9)

    def results(self) -> Results:
        cases = {key: _summary(turns) for key, turns in self.cases.items()}
        return {
            "title": self.who.title,
            "start_s": self.starts,
            "memory_mb": self.memory,
            "most_memory_mb": self.most_memory,
            "cases": cases,
        }


def _key(case: tuple[int, int, int]) -> str:
    return "{}x{}, {}".format(*case)


def _summary(turns: list[list[Answer]]) -> Results:
    answers = [answer for turn in turns for answer in turn]
    return {
        "medians_ms": [round(milliseconds(turn), 3) for turn in turns],
        "median_ms": milliseconds(answers),
        "p99_ms": milliseconds(answers, 99),
        "least_ms": milliseconds(answers, 0),
        "found": float(np.mean([answer.faces for answer in answers])),
    }


def measure(threads: int, cases: Sequence[tuple[int, int, int]], effort: Effort) -> Results:
    """Measure everybody with so many threads on these cases; return results by contestant."""
    with graph() as (node, executor), ExitStack() as started:
        runners = [Runner(node, executor, who, threads) for who in contestants()]
        for runner in runners:
            for _ in range(effort.starts - 1 if runner.who.name == OURS else 0):
                runner.start()
                runner.stop()
            print(f"bench: {threads} threads: {runner.who.title} …", flush=True)
            runner.start()
            started.callback(runner.stop)
        for number in range(effort.rounds):
            print(f"bench: {threads} threads, round {number + 1} of {effort.rounds}", flush=True)
            for case in cases:
                for runner in runners:
                    runner.turn(case)
        results = {runner.who.name: runner.results() for runner in runners}
        for runner in runners:
            results[runner.who.name]["throughput_hz"] = runner.throughput(effort.stream / 2)
            results[runner.who.name]["stream"] = runner.stream(effort.stream)
        return results


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables and save them."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="a rough answer in a minute or two")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results",
                        help="folder for results.json, results.md and results.png")  # fmt: skip
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else Effort()
    compileall.compile_dir(REPOSITORY / "mask_detector", quiet=2)  # as it is where the package is installed
    began = time.monotonic()
    cases = (BASE, CROWDS[2]) if options.quick else (BASE, *SIZES, BASE, *CROWDS, BASE)
    results = {"machine": describe(), "quick": options.quick, "threads_2": measure(2, cases, effort)}
    results["threads_1"] = measure(1, (BASE,), effort)
    with graph() as (node, executor):
        results["stages"] = measure_stages(node, executor, effort.stream)
    results["seconds"] = round(time.monotonic() - began)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(results, indent=1))
    text = report.markdown(results)
    (options.out / "results.md").write_text(text)
    report.plot(results, options.out / "results.png")
    print(text)
    print(f"saved in {options.out}; into the README: python -m benchmarks.headline")
    print(report.line(results))


if __name__ == "__main__":
    main()
