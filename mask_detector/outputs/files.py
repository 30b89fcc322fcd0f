"""Writing files: errors that name them, and names under which they grow."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mask_detector.errors import MaskDetectorError


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Turn the system's errors into one that names the file; a closed pipe is no error."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise MaskDetectorError(f"cannot write '{path}': {error.strerror}") from error


def part_of(path: Path) -> Path:
    """Return where a file grows until it is whole; FFmpeg goes by the suffix, so that stays."""
    return path.with_name(f".{path.stem}.part{path.suffix}")
