"""Picture files and videos, put in their place when they are whole."""

from pathlib import Path

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.errors import CopyError, MaskDetectorError
from mask_detector.frame_sources.base import VIDEO_RATE
from mask_detector.opencv_video import frame_count, opencv_path, quiet_opencv
from mask_detector.outputs.files import part_of, write_whole, writing

_LEAST_RATE = 0.01  # frames a second that an MP4 can state
_EXACT_UP_TO = 65.0  # frames a second; above, MPEG-4 has only rates of two digits after the point


def write_picture(path: Path, image: Image) -> None:
    """Write a BGR picture in the format of its suffix, whole or not at all.

    Raises:
        CopyError: the format cannot hold it.
        MaskDetectorError: it cannot be written there.
    """
    quiet_opencv()
    try:
        done, content = cv2.imencode(path.suffix, image)
    except cv2.error:  # as some formats have it where others answer False
        done = False
    if not done:
        size = f"{image.shape[1]}x{image.shape[0]} pixels"
        raise CopyError(f"cannot write '{path}': {path.suffix} holds no picture of {size}")
    write_whole(path, content.tobytes())


class VideoWriter:
    """Writes an MP4, playable after `close`; until then it grows under a hidden name beside its own.

    Args:
        path: where the finished video goes; its name ends in .mp4.
        rate: frames a second, 0 where it is not known.

    Raises:
        CopyError: no MP4 can be of the size of the first frame.
        MaskDetectorError: it cannot be written there; in `close` also when the disk was full.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self._path = path
        self._part = part_of(path)
        self._rate = _stated(rate or VIDEO_RATE)
        self._writer: cv2.VideoWriter | None = None
        self._last: Image | None = None
        self._frames = 0

    def write(self, image: Image, time: float | None = None) -> None:
        """Append a BGR frame; the first one gives the size, others are fitted into it.

        Args:
            image: shape (height, width, 3); OpenCV leaves the last row or column of an odd size out.
            time: seconds since the first frame, for a live source: frames are repeated or left out
                so that the video runs as fast as life did. None for exactly one frame.
        """
        if self._writer is None:
            self._writer = self._open(image)
            self._last = image
        due = self._frames + 1 if time is None else int(time * self._rate) + 1
        while self._frames < due - 1:
            self._append(self._last)
        if self._frames < due:
            self._append(image)
        self._last = image

    def close(self) -> None:
        """Put the video in its place; without a single frame there is none."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        if frame_count(self._part) != self._frames:  # OpenCV does not tell that a write failed
            self._part.unlink(missing_ok=True)
            raise MaskDetectorError(f"'{self._path}' could not be written completely: make room on that disk")
        with writing(self._path):
            self._part.replace(self._path)

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, image: Image) -> cv2.VideoWriter:
        self._height, self._width = image.shape[:2]
        with writing(self._path), open(self._part, "wb"):  # for the reason, which OpenCV does not give
            pass
        quiet_opencv()
        fourcc = cv2.VideoWriter_fourcc(*"mp4v")
        writer = cv2.VideoWriter(opencv_path(self._part), fourcc, self._rate, (self._width, self._height))
        if not writer.isOpened():
            self._part.unlink()
            size = f"{self._width}x{self._height} at {self._rate:g} frames a second"
            raise CopyError(f"OpenCV {cv2.__version__} cannot write '{self._path}' as MP4, {size}")
        return writer

    def _append(self, image: Image) -> None:
        self._writer.write(fitted(image, self._width, self._height))
        self._frames += 1


def _stated(rate: float) -> float:
    """Return the rate that an MP4 can state nearest to one that it may not."""
    return max(rate if rate <= _EXACT_UP_TO else round(rate, 2), _LEAST_RATE)


def fitted(image: Image, width: int, height: int) -> Image:
    """Return an image of that size: as it is, or scaled into a black one."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=cv2.INTER_AREA
    )
    return canvas
