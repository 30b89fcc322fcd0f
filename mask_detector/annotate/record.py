"""What a former run has written, for `--resume`."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from mask_detector.annotate.plan import Job
from mask_detector.detection import Detection
from mask_detector.errors import MaskDetectorError
from mask_detector.frame_sources import is_picture
from mask_detector.opencv_video import frame_count
from mask_detector.outputs import read_json_lines

Line = dict[str, Any]
Record = dict[str, dict[int, Line]]
"""The lines of each source by the number of the frame."""


def read_record(path: Path) -> Record:
    """Return the finished lines of `annotate` in a file, none if it does not exist.

    Raises:
        MaskDetectorError: it cannot be read or holds something else.
    """
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


def drawn_from(line: Line) -> list[Detection]:
    """Return the detections in a line, as they are drawn: a resumed copy equals an uninterrupted one."""
    return [] if "error" in line else [Detection.from_json(entry) for entry in line["detections"]]


def is_finished(job: Job, lines: dict[int, Line]) -> bool:
    """Tell whether a former run came to the end of a job, its copy included."""
    frames = sum("error" not in line for line in lines.values())
    gave_up = frames < len(lines)
    if is_picture(job.spec):
        return gave_up or (frames == 1 and (not job.copy or job.copy.is_file()))
    ended = gave_up or 0 < frames == frame_count(job.spec)  # 0 of a webcam and a stream
    return ended and (not job.copy or frame_count(job.copy) == frames)
