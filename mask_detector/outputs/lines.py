"""Lines of JSON, one for every frame."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mask_detector.detection import Detection
from mask_detector.errors import MaskDetectorError
from mask_detector.frame_sources import Frame
from mask_detector.outputs.files import writing

_BEGINNING = b'{"source": '  # of each line


def frame_line(frame: Frame, detections: Sequence[Detection]) -> dict[str, Any]:
    """Return the line of JSON that tells who is in a frame; boxes in pixels, times in seconds."""
    height, width = frame.image.shape[:2]
    place = {"source": frame.source, "frame": frame.index, "time": round(frame.time, 3)}
    found = [detection.to_json() for detection in detections]
    return {**place, "width": width, "height": height, "detections": found}


class JsonLines:
    """Appends lines of JSON to a file, each at once; one that a killed run left unfinished goes first.

    Args:
        path: the file, made if it does not exist; None for standard output.

    Raises:
        MaskDetectorError: the file cannot be opened or, in `write`, not be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._name = str(path or "standard output")
        with writing(self._name):
            self._file = open(path, "ab") if path else open(1, "wb", closefd=False)  # noqa: SIM115 (see close)
            if path and path.is_file():
                self._file.truncate(_end_of_last_line(path))

    def write(self, line: dict[str, Any]) -> None:
        """Append one line."""
        with writing(self._name):
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; what could not be written was told by `write`."""
        with suppress(OSError):
            self._file.close()

    def __enter__(self) -> "JsonLines":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the finished lines of a file, none if it does not exist.

    Raises:
        MaskDetectorError: it cannot be read, or holds something else than lines of JSON objects.
    """
    if not path.is_file():
        return []
    with writing(path):
        content = path.read_bytes()[: _end_of_last_line(path)]
    lines = []
    for number, text in enumerate(content.splitlines(), 1):
        try:
            lines.append(dict(json.loads(text)))
        except (ValueError, TypeError):
            raise MaskDetectorError(
                f"line {number} of '{path}' is not a line of JSON: name another file"
            ) from None
    return lines


def holds_something_else(path: Path) -> bool:
    """Tell whether all of a file is one unfinished line, and none that `frame_line` began."""
    with writing(path):
        content = path.read_bytes() if path.is_file() else b""
    return bool(content) and b"\n" not in content and not _BEGINNING.startswith(content[: len(_BEGINNING)])


def _end_of_last_line(path: Path) -> int:
    return path.read_bytes().rfind(b"\n") + 1
