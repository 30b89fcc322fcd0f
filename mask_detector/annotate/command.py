"""The command: check what is asked for, do it, tell what came of it."""

import argparse
import os
import sys
import time
from pathlib import Path

from tqdm import tqdm

from mask_detector.annotate.options import LINES, parse_options
from mask_detector.annotate.plan import Job, make_plan
from mask_detector.annotate.record import Record, read_record, without_errors
from mask_detector.annotate.run import Annotator
from mask_detector.annotate.stop import Stop
from mask_detector.classifiers import make_classifier
from mask_detector.errors import MaskDetectorError
from mask_detector.face_detectors import FaceSearch, make_face_detector
from mask_detector.model_store import load_manifest
from mask_detector.outputs import JsonLines
from mask_detector.pipeline import MaskDetector


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parse_options(argv)
    try:
        with Stop() as stop:
            return _annotate(options, stop)
    except MaskDetectorError as error:
        print(f"annotate: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our lines has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _annotate(options: argparse.Namespace, stop: Stop) -> int:
    started = time.monotonic()
    jobs = make_plan(options.inputs, options.out)
    path = options.json or (options.out / LINES if options.out else None)
    record = _checked_record(jobs, path, options)
    detector = make_detector(options)
    _prepare(jobs, path, options.overwrite)
    among_lines = path is None and sys.stdout is not None and sys.stdout.isatty()
    hidden = True if among_lines else None  # None: hidden but on a terminal
    bar = tqdm(total=len(jobs), unit="frame", leave=False, disable=hidden)
    with JsonLines(path) as lines, bar:
        annotator = Annotator(detector, lines, record, stop, bar, options.blur_faces)
        annotator.run(jobs)
    _report(annotator, path, options.out, time.monotonic() - started)
    if annotator.stopped_at:
        return 128 + stop.signal
    if annotator.left_bare:
        return 1
    return 1 if annotator.tally.errors and not annotator.tally.frames else 0


def _checked_record(jobs: list[Job], path: Path | None, options: argparse.Namespace) -> Record:
    """Return the lines to go on from; refuse to touch what nobody asked to be resumed or replaced."""
    if path is None:
        if options.resume:
            raise MaskDetectorError("--resume goes on from the lines of a file: name it with --json or --out")
        return {}
    if os.path.realpath(path) in {os.path.realpath(job.spec) for job in jobs}:
        raise MaskDetectorError(f"'{path}' is an input: name another file for the lines")
    record = read_record(path)
    if options.overwrite:
        return {}
    if record and not options.resume:
        raise MaskDetectorError(f"'{path}' exists: --resume goes on with it, --overwrite replaces it")
    for job in jobs:
        if job.copy and job.copy.exists() and job.source not in record:
            raise MaskDetectorError(
                f"'{job.copy}' exists, but without a line in '{path}': --overwrite replaces it"
            )
    return without_errors(record, path) if options.resume else record


def make_detector(options: argparse.Namespace) -> MaskDetector:
    """Return the detector that the options of `add_model_options` ask for."""
    search = FaceSearch(score_threshold=options.score_threshold)
    face_detector = make_face_detector(options.face_detector, options.face_model, search)
    return MaskDetector(face_detector, make_classifier(options.classifier, options.runtime))


def _prepare(jobs: list[Job], path: Path | None, overwrite: bool) -> None:
    try:
        for folder in {job.copy.parent for job in jobs if job.copy}:
            folder.mkdir(parents=True, exist_ok=True)
        if path and overwrite and path.is_file():  # a pipe or a device stays
            os.unlink(os.path.realpath(path))
    except OSError as error:
        raise MaskDetectorError(f"cannot write '{error.filename}': {error.strerror}") from error


def _report(annotator: Annotator, path: Path | None, out: Path | None, seconds: float) -> None:
    """Tell on stderr what was found, where it is, and how to go on."""
    tally = annotator.tally
    faces = ", ".join(f"{tally.faces[class_id]} {class_id}" for class_id in load_manifest().class_ids)
    _say(
        f"{_number(tally.frames, 'frame')}, {_number(tally.faces.total(), 'face')} ({faces}), "
        f"{_number(tally.errors, 'error')}, {seconds:.1f} s"
    )
    if written := [str(place) for place in (path, out) if place]:
        _say(f"written: {', '.join(written)}")
    if annotator.stopped_at:
        _say(f"stopped {annotator.stopped_at}" + ("; the same command with --resume goes on" if path else ""))


def _number(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _say(text: str) -> None:
    print(f"annotate: {text}", file=sys.stderr)
