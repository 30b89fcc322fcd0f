"""What a former run has written, for `--resume`."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from mask_detector.annotate.plan import Job
from mask_detector.detection import Detection
from mask_detector.errors import MaskDetectorError
from mask_detector.frame_sources import is_picture
from mask_detector.opencv_video import frame_count
from mask_detector.outputs import holds_something_else, read_json_lines
from mask_detector.outputs.files import write_whole

Line = dict[str, Any]
Record = dict[str, dict[int, Line]]
"""The lines of each source by the number of the frame."""


def read_record(path: Path) -> Record:
    """Return the finished lines of `annotate` in a file, none if it does not exist.

    Raises:
        MaskDetectorError: it cannot be read or holds something else.
    """
    if holds_something_else(path):
        raise MaskDetectorError(f"'{path}' does not hold lines of annotate: name another file")
    record: Record = defaultdict(dict)
    for number, line in enumerate(read_json_lines(path), 1):
        try:
            drawn_from(line)
            record[line["source"]][line["frame"]] = line
        except (KeyError, TypeError, AttributeError):
            raise MaskDetectorError(
                f"line {number} of '{path}' is not of annotate: name another file"
            ) from None
    return record


def without_errors(record: Record, path: Path) -> Record:
    """Drop the lines of what could not be read, from the record and its file: it may be there by now."""
    good = {
        source: {number: line for number, line in lines.items() if "error" not in line}
        for source, lines in record.items()
    }
    if good != record:
        kept = [json.dumps(line) + "\n" for lines in good.values() for line in lines.values()]
        write_whole(path, "".join(kept).encode())
    return good


def drawn_from(line: Line) -> list[Detection]:
    """Return the detections in a line, as they are drawn: a resumed copy equals an uninterrupted one."""
    return [] if "error" in line else [Detection.from_json(entry) for entry in line["detections"]]


def is_finished(job: Job, lines: dict[int, Line]) -> bool:
    """Tell whether a former run came to the end of a job, its copy included.

    Raises:
        ImageError: the name of a video is none that OpenCV takes.
    """
    frames = len(lines)
    if is_picture(job.spec):
        return frames == 1 and (not job.copy or job.copy.is_file())
    ended = 0 < frames == frame_count(job.spec)  # 0 of a webcam and a stream
    return ended and (not job.copy or frame_count(job.copy) == frames)
