"""Read the pictures of the data: one that cannot be read is left out, whatever its name or contents."""

from pathlib import Path

import cv2

from mask_detector.crops import Image
from mask_detector.errors import ImageError
from mask_detector.frame_sources.pictures import read_picture


def picture_or_none(path: Path, flags: int = cv2.IMREAD_COLOR) -> Image | None:
    """Return a picture as BGR, or as the `flags` of cv2.imread say; None if it cannot be read."""
    try:
        return read_picture(str(path), flags)
    except ImageError:
        return None
