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

import rclpy
from rclpy.signals import SignalHandlerOptions

from mask_detector.child import end
from mask_detector.demo_clip import make_demo_clip
from mask_detector.demo_node import NAMESPACE, Demo
from mask_detector.demo_viewer import DemoViewer
from mask_detector.errors import MaskDetectorError
from mask_detector.frame_sources import default_source, without_password
from mask_detector.node_main import log_options
from mask_detector.outputs import JsonLines, VideoWriter, frame_line
from mask_detector.player import Player
from mask_detector.timeline import Timeline
from mask_detector.transport import transport_environment

_COME, _COME_BACK = 60.0, 5.0  # seconds to open the page, at a terminal, and to open it again


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
    command = [sys.executable, "-m", "mask_detector", "detector", "--ros-args", "-r", f"__ns:={NAMESPACE}"]
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
            detections, shown = answer
            for lines in (printed, kept):
                lines.write(frame_line(frame, detections))
            video.write(shown, frame.time if player.live else None)
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


def _summarise(timeline: Timeline, latencies: Sequence[float], out: Path) -> None:
    """Tell people what the lines of JSON say, on the error stream, so that those can be piped."""
    text = [f"demo: {timeline.frames} frames" + (", the nearest person:" if timeline.periods() else "")]
    text += [f"  {start:6.1f} to {end:6.1f} s  {state}" for start, end, state in timeline.periods()]
    text.append(f"faces: {', '.join(f'{n} {name}' for name, n in timeline.faces.most_common()) or 'none'}")
    lines_file, video_file = _results(out)
    text.append(
        f"from image to answer, over DDS and back: {1000 * statistics.median(latencies):.0f} ms (median)"
    )
    text.append(f"annotated video: {video_file}, lines of JSON: {lines_file}")
    print("\n".join(text), file=sys.stderr)
