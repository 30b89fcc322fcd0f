"""The command line of the viewer, and what the page says of privacy because of it."""

import argparse
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mask_detector.viewer.history import Limits
from mask_detector.viewer.loopback import is_loopback

PORT = 8642
TOKEN = "MASK_DETECTOR_TOKEN"
_LIMITS = Limits()


@dataclass(frozen=True)
class Options:
    """What the operator wants; `port` is None for the usual one, or any free one if that is taken."""

    host: str
    port: int | None
    token: str
    blur: bool
    crops: bool
    history: Path | None
    limits: Limits
    collect: Path | None
    collect_most: int
    classifier: str


def parse(arguments: Sequence[str]) -> Options:
    """Return the options; end the process with a line that tells what is wrong with them."""
    parser = make_parser()
    given = parser.parse_args(arguments)
    if given.collect and given.blur_faces:
        parser.error("--collect keeps faces as they are, and --blur-faces forbids that: choose one")
    for name, low, high in (
        ("collect_most", 1, 100_000),
        ("history_days", 0.01, 36_500),
        ("history_mb", 1, 1e6),
    ):
        if not low <= getattr(given, name) <= high:
            parser.error(f"--{name.replace('_', '-')} is {getattr(given, name)}: give {low} to {high:.0f}")
    if given.port is not None and not 0 <= given.port <= 65535:
        parser.error(f"--port is {given.port}: give 0 (any free one) to 65535")
    token = os.environ.get(TOKEN, "")
    if not token and not is_loopback(given.host):
        token = secrets.token_urlsafe(18)
    limits = Limits(given.history_days, given.history_mb)
    return Options(
        given.host, given.port, token, given.blur_faces, given.crops, given.history, limits,
        given.collect, given.collect_most, given.classifier,
    )  # fmt: skip


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="viewer",
        description="A page in the browser for all detectors in the graph. ROS arguments follow --ros-args.",
        epilog=f"Beyond loopback a token is needed: that in {TOKEN}, else one is made and printed.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all (%(default)s)")
    add("--port", type=int, help=f"port to listen on ({PORT}, or any free one if that is taken)")
    add(
        "--blur-faces",
        action="store_true",
        help="blur the faces of all people found, in all that the viewer shows",
    )
    add("--crops", action="store_true", help="show the faces of changes; they stay in memory")
    add("--history", type=Path, metavar="FILE", help="keep counts, without ids or pictures, in this database")
    add("--history-days", type=float, default=_LIMITS.days, help="drop older ones (%(default)g)")
    add("--history-mb", type=float, default=_LIMITS.megabytes, help="drop the oldest beyond (%(default)g)")
    add("--collect", type=Path, metavar="FOLDER", help="keep the least sure faces here, for the review page")
    add("--collect-most", type=int, default=500, help="how many of them may wait (%(default)s)")
    add("--classifier", default="", metavar="NAME", help="what classifies here, as the detector's parameter")
    return parser


def privacy(options: Options) -> list[str]:
    """Return what is stored, where and for how long, in sentences for the page."""
    return [
        "Live pictures are shown while a page is open, and never stored.",
        "Pictures that you try are classified in memory, and never stored.",
        f"How many people wore a mask how, and when that changed, is {_of_history(options)}: numbers only, "
        "without pictures and without ids.",
        "The list of changes shows the numbers that a detector gives to people while it runs; the last ones "
        f"stay in memory until the viewer ends, {'with' if options.crops else 'without'} pictures of faces.",
        _of_faces(options),
        "The faces of all people who were found are blurred in everything that this viewer shows."
        if options.blur
        else "Faces are not blurred by this viewer; a detector may blur them itself (blur_faces).",
        "This page speaks for the viewer alone: other programs may record what the camera sees.",
    ]


def _of_history(options: Options) -> str:
    if not options.history:
        return "kept in memory until the viewer ends"
    limits = options.limits
    return f"stored in {options.history} for {limits.days:g} days, at most {limits.megabytes:g} MB"


def _of_faces(options: Options) -> str:
    if not options.collect:
        return "No face is kept for training."
    return (
        f"At most {options.collect_most} faces of which the model is least sure are stored in "
        f"{options.collect} until a person has looked at them; those that are named stay there for training."
    )
