"""The options of `annotate` and their help."""

import argparse
from pathlib import Path

from mask_detector.classifiers import RUNTIMES
from mask_detector.face_detectors import FACE_DETECTORS, FaceSearch

LINES = "annotations.jsonl"
"""The file of lines in the folder of copies, if no other is named."""

_DESCRIPTION = """\
See who wears a face mask, properly, improperly or not at all, in pictures, videos, webcams and streams:
a line of JSON for every frame, and annotated copies."""

_EPILOG = f"""\
Without --json and --out the lines go to standard output; with --out alone to FOLDER/{LINES}.
Ctrl-C ends it after the frame in work, with playable videos and whole lines; the same command
with --resume goes on.

exit code: 0 done, even if some inputs could not be read (their lines have an "error");
1 no input could be read, or results could not be written; 2 wrong usage; 130 stopped by Ctrl-C,
143 by SIGTERM (0 where only a webcam or stream was left, which has no other end)"""


def parse_options(argv: list[str] | None) -> argparse.Namespace:
    """Return the options of a command line, by default this process's own; exit with 2 if they are wrong."""
    parser = argparse.ArgumentParser(
        "annotate",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inputs = "picture, folder of pictures, video, webcam (0, /dev/video0) or URL"
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help=inputs)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the lines there")
    out = "write annotated copies there, under the same names; videos as .mp4"
    parser.add_argument("--out", type=Path, metavar="FOLDER", help=out)
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument(
        "--resume",
        action="store_true",
        help="go on with a run that was interrupted; what could not be read is tried again",
    )
    existing.add_argument("--overwrite", action="store_true", help="replace what a former run wrote")
    blur = "make the faces in the copies unrecognisable; with --resume all copies are drawn anew"
    parser.add_argument("--blur-faces", action="store_true", help=blur)
    add_model_options(parser.add_argument_group("models"))
    return parser.parse_args(argv)


def add_model_options(group: argparse._ArgumentGroup) -> None:
    """Add the options from which `make_detector` makes one."""

    def add(option: str, default: str | float, text: str, **how: object) -> None:
        group.add_argument(option, default=default, help=text, **how)

    shown = "default: %(default)s"
    add("--face-detector", FACE_DETECTORS[0], f"what finds faces; {shown}", choices=FACE_DETECTORS)
    add(
        "--face-model",
        "",
        "a file in place of the shipped one: .onnx in YuNet's layout, or .tflite",
        metavar="FILE",
    )
    score = f"least score of a face, 0 to 1; {shown}"
    add("--score-threshold", FaceSearch().score_threshold, score, type=_score, metavar="SCORE")
    add(
        "--classifier",
        "",
        "one of models/manifest.json, if not its default, or the path of your own",
        metavar="NAME",
    )
    add("--runtime", RUNTIMES[0], f"what runs the classifier; {shown}", choices=RUNTIMES)


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to 1")
    return value
