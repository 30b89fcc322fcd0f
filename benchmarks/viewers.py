"""What pages cost: `python benchmarks/viewers.py [--pages 10] [--minutes 60]`.

Images are published at a camera's rate; rounds without and with pages that take every picture follow each
other, so that a busy machine bothers both alike. Told are the detector's latency, from image to detections
over DDS, and its processor time a frame. With --minutes the pages then come and go for so long, and what
viewer and detector hold is printed once a minute: memory, open files, threads.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from mask_detector.demo_clip import make_demo_clip
from mask_detector.frame_sources import open_source
from mask_detector.messages import to_image
from mask_detector.transport import transport_environment

_RATE = 15.0  # images a second
_ROUND, _WARM_UP = 8.0, 2.0  # seconds
_ROUNDS = 5
_STAY = 20.0  # seconds until a page of the long run is closed and opened again


class Camera(Node):
    """Publishes the demo's clip, and notes when the detections of each image come back."""

    def __init__(self, clip: Path) -> None:
        super().__init__("bench_camera")
        with open_source(str(clip)) as source:
            self._images = [to_image(frame.image, Header()) for frame in source]
        self._sent: dict[tuple[int, int], float] = {}
        self._count = 0
        self.latencies: list[float] = []
        newest = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._publisher = self.create_publisher(ImageMsg, "image", newest)
        self.create_subscription(Detection2DArray, "mask_detector/detections", self._take, 10)
        self.create_timer(1 / _RATE, self._send)

    def _send(self) -> None:
        message = self._images[self._count % len(self._images)]
        self._count += 1
        message.header.stamp = self.get_clock().now().to_msg()
        stamp = message.header.stamp
        self._sent = {(stamp.sec, stamp.nanosec): time.perf_counter(), **dict(list(self._sent.items())[:30])}
        self._publisher.publish(message)

    def _take(self, message: Detection2DArray) -> None:
        stamp = message.header.stamp
        if sent := self._sent.get((stamp.sec, stamp.nanosec)):
            self.latencies.append(1000 * (time.perf_counter() - sent))

    def run(self, seconds: float) -> list[float]:
        """Play on for so long; return the latencies in ms."""
        self.latencies = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            rclpy.spin_once(self, timeout_sec=0.05)
        return self.latencies


async def _look(address: str, stay: float, pictures) -> None:
    """Be a page: ask for the next picture whenever one has come; go after a while, and come back."""
    async with aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError, asyncio.TimeoutError):
                async with session.ws_connect(f"{address}live") as page:
                    await asyncio.wait_for(_take_pictures(page, pictures), stay)


async def _take_pictures(page: aiohttp.ClientWebSocketResponse, pictures) -> None:
    asked = False
    async for message in page:
        if message.type == aiohttp.WSMsgType.BINARY:
            pictures.value += 1
            asked = False
        elif cameras := json.loads(message.data).get("cameras"):
            name = cameras[0]["name"]
        if not asked and "name" in locals():
            await page.send_json({"next": name})
            asked = True


def _be_pages(address: str, count: int, stay: float, pictures) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(_look(address, stay, pictures) for _ in range(count)))

    asyncio.run(all_of_them())


@contextmanager
def _pages(address: str, count: int, stay: float = 1e6) -> Iterator:
    """Keep pages open in a process of their own; gives the count of pictures that they took."""
    context = multiprocessing.get_context("spawn")
    pictures = context.Value("i", 0)
    process = context.Process(target=_be_pages, args=(address, count, stay, pictures), daemon=True)
    process.start()
    try:
        yield pictures
    finally:
        process.terminate()
        process.join()


@contextmanager
def _executable(*arguments: str) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "mask_detector", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _processor_seconds(process: subprocess.Popen) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _held(process: subprocess.Popen) -> str:
    status = dict(re.findall(r"(\w+):\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text()))
    files = len(os.listdir(f"/proc/{process.pid}/fd"))
    return f"{int(status['VmRSS']) / 1024:6.1f} MB {files:4} files {status['Threads']:>3} threads"


def compare(camera: Camera, detector: subprocess.Popen, address: str, count: int) -> None:
    """Print latency and processor time without and with pages, round by round and over all."""
    latencies: dict[int, list[float]] = {0: [], count: []}
    costs: dict[int, list[float]] = {0: [], count: []}
    for number in range(2 * _ROUNDS):
        pages = count if number % 2 else 0
        with _pages(address, pages) as pictures:
            camera.run(_WARM_UP)
            while pictures.value < pages:  # all have begun
                camera.run(_WARM_UP)
            before, taken = _processor_seconds(detector), pictures.value
            found = camera.run(_ROUND)
            costs[pages].append(1000 * (_processor_seconds(detector) - before) / max(len(found), 1))
            latencies[pages] += found
            print(
                f"{pages:3} pages: {statistics.median(found):6.1f} ms latency (median), "
                f"{costs[pages][-1]:5.1f} ms of processor time a frame, "
                f"{(pictures.value - taken) / _ROUND:6.1f} pictures/s taken",
                flush=True,
            )
    for name, values in (("latency (median)", latencies), ("processor time a frame", costs)):
        none, many = (statistics.median(values[pages]) for pages in (0, count))
        print(f"{name}: {none:.1f} ms without, {many:.1f} ms with {count} pages, ratio {many / none:.2f}")


def soak(
    camera: Camera, processes: dict[str, subprocess.Popen], address: str, count: int, minutes: float
) -> None:
    """Let pages come and go, and print what the processes hold."""
    with _pages(address, count, _STAY) as pictures:
        for minute in range(round(minutes) + 1):
            held = ", ".join(f"{name} {_held(process)}" for name, process in processes.items())
            print(f"{minute:3} min: {held}; {pictures.value} pictures", flush=True)
            camera.run(60.0 if minute < minutes else 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=0.0)
    options = parser.parse_args()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.update(transport_environment())
    rclpy.init()
    with tempfile.TemporaryDirectory() as folder, _executable("detector") as detector:
        camera = Camera(make_demo_clip(Path(folder) / "clip.mp4"))
        with _executable("viewer", "--port", "0", "--history", f"{folder}/history.sqlite") as viewer:
            address = viewer.stdout.readline().split()[1]
            camera.run(3 * _WARM_UP)
            compare(camera, detector, address, options.pages)
            if options.minutes:
                both = {"viewer": viewer, "detector": detector}
                soak(camera, both, address, options.pages, options.minutes)
    camera.destroy_node()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
