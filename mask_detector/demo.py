"""The main job on one machine: a source is published, the detector node answers over DDS, and what
it answers is printed and recorded.

Each frame of a file is sent until it is answered, so the record has every frame of it, also where
the detector is slower than the source. A viewer shows it in the browser; while somebody looks, a file is
played again after its end.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import rclpy
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from mask_detector.child import end
from mask_detector.demo_clip import make_demo_clip
from mask_detector.demo_viewer import DemoViewer
from mask_detector.errors import MaskDetectorError
from mask_detector.frame_sources import Frame, default_source, without_password
from mask_detector.image_conversion import to_bgr
from mask_detector.messages import from_detection_array, to_image
from mask_detector.node_main import log_options
from mask_detector.outputs import JsonLines, VideoWriter, frame_line
from mask_detector.player import Player
from mask_detector.timeline import Timeline
from mask_detector.transport import transport_environment

_NAMESPACE = "/demo"
_SEND_AGAIN = 0.5  # seconds
_BETWEEN_PICTURES = 60.0  # seconds, by the stamps
_PATIENCE = 30.0  # seconds until an answer is given up
_COME, _COME_BACK = 60.0, 5.0  # seconds to open the page, at a terminal, and to open it again


class Demo(Node):
    """Stands in for camera and rviz2: sends images, takes detections and annotated images."""

    def __init__(self, detector: subprocess.Popen, stop: Event) -> None:
        super().__init__("demo", namespace=_NAMESPACE)
        self._detector = detector
        self._stop = stop
        self._publisher = self.create_publisher(ImageMsg, "image", 1)
        self._answers: dict[type, Any] = {}
        self.create_subscription(Detection2DArray, "mask_detector/detections", self._take, 10)
        self.create_subscription(ImageMsg, "mask_detector/annotated_image", self._take, 10)
        self.latencies: list[float] = []
        self._source, self._ahead, self._began = "", 0.0, self.get_clock().now()

    def _take(self, message: Detection2DArray | ImageMsg) -> None:
        self._answers[type(message)] = message

    def ask(self, frame: Frame) -> tuple[Detection2DArray, ImageMsg] | None:
        """Return what the detector makes of a frame; None if the demo is stopped meanwhile.

        Raises:
            MaskDetectorError: the detector has ended or does not answer.
        """
        header = Header(stamp=self._stamp(frame), frame_id="camera")
        message = to_image(frame.image, header)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            sent = time.monotonic()
            self._publisher.publish(message)
            while time.monotonic() - sent < _SEND_AGAIN:
                rclpy.spin_once(self, timeout_sec=0.05)
                if self._answered(header):
                    self.latencies.append(time.monotonic() - sent)
                    return self._answers[Detection2DArray], self._answers[ImageMsg]
                if self._stop.is_set():
                    return None
                if self._detector.poll() is not None:
                    raise MaskDetectorError("the detector has ended; its reason is above")
        raise MaskDetectorError(f"the detector has not answered for {_PATIENCE:.0f} s")

    @property
    def watched(self) -> bool:
        """Whether somebody looks at the page."""
        return self.count_subscribers("mask_detector/annotated_image/compressed") > 0

    def _stamp(self, frame: Frame) -> Time:
        """Return the time of a frame by the source's own clock, so that a busy machine changes nothing.

        Each picture seems so much later that nobody in it is taken for known.
        """
        if frame.index == 0:
            if frame.source != self._source:
                self._source, self._ahead = frame.source, self._ahead + _BETWEEN_PICTURES
            self._began = self.get_clock().now() + Duration(seconds=self._ahead)
        return (self._began + Duration(seconds=frame.time)).to_msg()

    def _answered(self, header: Header) -> bool:
        stamps = [answer.header.stamp for answer in self._answers.values()]
        return stamps == [header.stamp] * 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return the exit code."""
    options = _parse(arguments)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        os.environ.update(transport_environment())
        os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        options.out.mkdir(parents=True, exist_ok=True)
        with _detector() as detector, DemoViewer() as viewer:
            viewer.wait()
            return _run(options.source, options.out, detector, viewer, stop)
    except BrokenPipeError:  # who reads the lines has seen enough
        return 0
    except (MaskDetectorError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__.split("\n\n")[0])
    parser.add_argument("source", nargs="?", default="", metavar="SOURCE", help=(
        "video, picture, folder of pictures, webcam (0, /dev/video0) or stream URL; "
        "by default a webcam where there is one, else a clip made on the spot"))  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("demo_output"), help="folder for what is recorded")
    return parser.parse_args(arguments)


@contextmanager
def _detector() -> Iterator[subprocess.Popen]:
    """Run the detector node in a process of its own."""
    command = [sys.executable, "-m", "mask_detector", "detector", "--ros-args", "-r", f"__ns:={_NAMESPACE}"]
    process = subprocess.Popen(command, stdout=sys.stderr)
    try:
        yield process
    finally:
        end(process)


def _run(spec: str, out: Path, detector: subprocess.Popen, viewer: DemoViewer, stop: Event) -> int:
    if spec and os.path.realpath(spec) in map(os.path.realpath, _results(out)):
        raise MaskDetectorError(
            f"'{spec}' is where the result goes: name another folder as --out (make: OUT=…)"
        )
    source = spec or default_source() or str(make_demo_clip(out / "demo_clip.mp4"))
    print(f"demo: {without_password(source)}; Ctrl-C ends it", file=sys.stderr)
    rclpy.init(args=log_options(), signal_handler_options=SignalHandlerOptions.NO)
    node = Demo(detector, stop)
    player = Player(source, stop, _tell)
    timeline = Timeline()
    try:
        try:
            _record(node, player, out, timeline)
        finally:
            if timeline.frames:
                _summarise(timeline, node.latencies, out)
        _play_on(node, source, viewer, stop)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _tell(text: str) -> None:
    print(f"demo: {text}", file=sys.stderr)


def _results(out: Path) -> tuple[Path, Path]:
    """Return where the lines of JSON and the annotated video go."""
    return out / "detections.jsonl", out / "annotated.mp4"


def _record(node: Demo, player: Player, out: Path, timeline: Timeline) -> None:
    """Send every frame, and print and keep the answers."""
    lines_file, video_file = _results(out)
    with JsonLines(None) as printed, ExitStack() as stack:
        kept, video = None, None
        for frame in player:
            answer = node.ask(frame)
            if answer is None:
                return
            if kept is None or video is None:  # a former record stays until there is a new one
                lines_file.unlink(missing_ok=True)
                kept = stack.enter_context(JsonLines(lines_file))
                video = stack.enter_context(VideoWriter(video_file, player.rate))
            detections = from_detection_array(answer[0])
            for lines in (printed, kept):
                lines.write(frame_line(frame, detections))
            video.write(to_bgr(answer[1]), frame.time if player.live else None)
            timeline.add(frame.time, detections)


def _play_on(node: Demo, source: str, viewer: DemoViewer, stop: Event) -> None:
    """Play the source again and again while somebody looks; at a terminal, wait a while for that."""
    at_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if stop.is_set() or not viewer.address or not (at_terminal or node.watched):
        return
    _tell(f"{viewer.address} plays on while it is open; Ctrl-C ends it")
    patience, seen = _COME if at_terminal else _COME_BACK, time.monotonic()
    for frame in Player(source, stop, _tell, loop=True):
        if node.watched:
            patience, seen = _COME_BACK, time.monotonic()
        if time.monotonic() - seen > patience or node.ask(frame) is None:
            return


def _summarise(timeline: Timeline, latencies: list[float], out: Path) -> None:
    """Tell people what the lines of JSON say, on the error stream, so that those can be piped."""
    text = [f"demo: {timeline.frames} frames, the nearest person:"]
    text += [f"  {start:6.1f} to {end:6.1f} s  {state}" for start, end, state in timeline.periods()]
    text.append(f"faces: {', '.join(f'{n} {name}' for name, n in timeline.faces.most_common()) or 'none'}")
    lines_file, video_file = _results(out)
    text.append(
        f"from image to answer, over DDS and back: {1000 * statistics.median(latencies):.0f} ms (median)"
    )
    text.append(f"annotated video: {video_file}, lines of JSON: {lines_file}")
    print("\n".join(text), file=sys.stderr)
