"""Read the pictures of the data: one that cannot be read is left out, whatever its name or contents."""

from collections.abc import Iterator
from pathlib import Path

import cv2

from mask_detector.crops import Image
from mask_detector.errors import ImageError
from mask_detector.frame_sources.pictures import is_picture, read_picture
from training.errors import TrainingError


def picture_or_none(path: Path, flags: int = cv2.IMREAD_COLOR) -> Image | None:
    """Return a picture as BGR, or as the `flags` of cv2.imread say; None if it cannot be read."""
    try:
        return read_picture(str(path), flags)
    except ImageError:
        return None


def pictures_below(folder: Path) -> Iterator[Path]:
    """Yield all picture files in a folder and those below it, in order, hidden ones left out."""
    if not folder.is_dir():
        raise TrainingError(f"no folder {folder}: name one that holds pictures")
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and is_picture(path.name) and path.is_file():
            yield path
