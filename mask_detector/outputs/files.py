"""Writing files: errors that name them, and names under which they grow."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from mask_detector.errors import CopyError, MaskDetectorError

_LONGEST = 240  # bytes of a name that leave room for what `part_of` adds


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Turn the system's errors into one that names the file; a closed pipe is no error."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        kind = CopyError if error.errno == errno.ENAMETOOLONG else MaskDetectorError
        raise kind(f"cannot write '{path}': {error.strerror}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a full disk leaves the former one.

    Raises:
        CopyError: its name is too long.
        MaskDetectorError: it cannot be written there.
    """
    part = part_of(path)
    with writing(path):
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """Return where a file grows until it is whole; FFmpeg goes by the suffix, so that stays."""
    name = os.fsencode(path.name)
    stem = path.stem if len(name) <= _LONGEST else sha256(name).hexdigest()
    return path.with_name(f".{stem}.part{path.suffix}")
