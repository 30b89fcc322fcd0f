"""Picture files and folders of them."""

import os
import re

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.errors import ImageError
from mask_detector.frame_sources.base import Frame, FrameSource, Unreadable
from mask_detector.frame_sources.captures import is_stream

_JPEG_END = b"\xff\xd9"  # with it OpenCV shows as much of a JPEG as there is, and the other kinds ignore it
_SUFFIXES = (
    *(".avif", ".bmp", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)


def is_picture(path: str) -> bool:
    """Tell whether `path` is a picture file, by the end of its name."""
    return not is_stream(path) and path.lower().endswith(_SUFFIXES)


def open_picture(path: str) -> FrameSource:
    """Open one picture; raise ImageError if it cannot be read."""
    return FrameSource(path, iter([Frame(read_picture(path), path, 0, 0.0)]), count=1)


def open_folder(folder: str) -> FrameSource:
    """Open the pictures of a folder; raise ImageError if there are none."""
    pictures = pictures_in(folder)
    return FrameSource(folder, map(_read, pictures), count=len(pictures))


def pictures_in(folder: str) -> list[str]:
    """Return the paths of the pictures in a folder, not in those below it; img2 comes before img10.

    Raises:
        ImageError: the folder cannot be read or has no pictures.
    """
    try:
        names = [name for name in os.listdir(folder) if is_picture(name) and not name.startswith(".")]
    except OSError as error:
        raise ImageError(f"folder '{folder}' cannot be read: {error.strerror}") from error
    if not names:
        raise ImageError(f"folder '{folder}' has no pictures: name another one, or its videos one by one")
    return [os.path.join(folder, name) for name in sorted(names, key=_natural)]


def read_picture(path: str, flags: int = cv2.IMREAD_COLOR) -> Image:
    """Read a picture of 8 or 16 bits as BGR, shape (height, width, 3), uint8, turned as its EXIF says.

    OpenCV does not turn AVIF. With other `flags` of cv2.imread it is what these say. Any name will do, also
    one that is not UTF-8.

    Raises:
        ImageError: the file cannot be opened, or is not a picture that OpenCV can read.
    """
    try:
        with open(path, "rb") as file:
            content = np.frombuffer(file.read() + _JPEG_END, np.uint8)
    except OSError as error:
        raise ImageError(f"picture '{path}' cannot be read: {error.strerror}") from error
    try:
        image = cv2.imdecode(content, flags)
    except cv2.error:  # larger than OpenCV accepts
        image = None
    if image is None:
        raise ImageError(
            f"picture '{path}' cannot be read: it is damaged, not what its name says, or not of 8 or 16 bits"
        )
    return image


def _read(path: str) -> Frame | Unreadable:
    try:
        return Frame(read_picture(path), path, 0, 0.0)
    except ImageError as error:
        return Unreadable(path, 0, error)


def _natural(name: str) -> list[tuple[int, str]]:
    """Order digits by their value and everything else as text."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name.lower())]
