"""Videos, webcams and streams, through OpenCV."""

import os
import re
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import cv2

from mask_detector.crops import Image
from mask_detector.errors import ImageError
from mask_detector.frame_sources.base import VIDEO_RATE, Frame, FrameSource, Unreadable
from mask_detector.opencv_video import opencv_path, quiet_opencv

_TIMEOUT = 10_000  # milliseconds; with OpenCV's own 30 s a lost stream seems alive for long
_STREAM_SETTINGS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _TIMEOUT]
_FASTEST = 240.0  # frames a second; files without a rate of their own claim 1000 or 90000
_MAY_MISS_SHARE = 0.05  # of a video that is whole: many containers only estimate their length
_MAY_MISS_SECONDS = 0.5
_TEXTS = (".ans", ".asc", ".diz", ".ice", ".nfo", ".txt", ".vt")  # FFmpeg would film the text

_SECRET = re.compile(r"((?:pass\w*|pwd|token|secret|api_?key|auth)=)[^&#]*", re.IGNORECASE)

_Items = Iterator[Frame | Unreadable]


def is_stream(spec: str) -> bool:
    """Tell whether `spec` is a URL."""
    return "://" in spec


def is_webcam(spec: str) -> bool:
    """Tell whether `spec` is the number or the device of a webcam; a folder may be called 2026."""
    return (spec.isdecimal() and not os.path.isdir(spec)) or spec.startswith(("/dev/video", "/dev/v4l/"))


def webcams() -> list[str]:
    """Return the video devices of this machine; some of them may give no pictures."""
    return sorted(map(str, Path("/dev").glob("video[0-9]*")), key=lambda device: (len(device), device))


def without_password(spec: str) -> str:
    """Return `spec` without the passwords that a URL may hold, to be shown and stored."""
    return _SECRET.sub(r"\1…", re.sub(r"//[^/]*@", "//", spec)) if is_stream(spec) else spec


def open_webcam(spec: str) -> FrameSource:
    """Open a webcam by its number or device; raise ImageError if it gives no picture."""
    device = f"/dev/video{spec}" if spec.isdecimal() else spec
    present = ", ".join(webcams()) or "none"
    if not os.path.exists(device):
        raise ImageError(f"no webcam {device}: connect it, or choose one of those here ({present})")
    if not os.access(device, os.R_OK | os.W_OK):
        raise ImageError(f"webcam {device} is closed to you: 'sudo usermod -aG video $USER' and log in again")
    advice = f"webcam {device} gives no picture: close what else uses it, or choose another ({present})"
    return _opened(spec, _capture(device, cv2.CAP_V4L2), advice, live=True)


def open_stream(url: str) -> FrameSource:
    """Open a URL; raise ImageError if nothing comes from there. A video file there is not live."""
    capture = _capture(url, cv2.CAP_FFMPEG, _STREAM_SETTINGS)
    advice = f"no picture from {without_password(url)}: check the address, the password and the network"
    return _opened(url, capture, advice, live=capture.get(cv2.CAP_PROP_FRAME_COUNT) <= 0)


def open_video(path: str) -> FrameSource:
    """Open a video file; raise ImageError if it is not one."""
    if problem := _problem(path):
        raise ImageError(f"'{path}' cannot be read: {problem}; a webcam is 0 or /dev/video0")
    advice = f"'{path}' is neither a picture nor a video that OpenCV can read, or its recording was cut off"
    if path.lower().endswith(_TEXTS):
        raise ImageError(advice)
    return _opened(path, _capture(opencv_path(path)), advice, live=False)


def _problem(path: str) -> str | None:
    """Return why the system does not open a file, if it does not; OpenCV would not tell."""
    try:
        with open(path, "rb"):
            return None
    except OSError as error:
        return error.strerror


def _capture(name: str, *how: int | list[int]) -> cv2.VideoCapture:
    quiet_opencv()
    return cv2.VideoCapture(name, *how)


def _opened(spec: str, capture: cv2.VideoCapture, advice: str, live: bool) -> FrameSource:
    """Return the source of a capture whose first frame came; raise ImageError(advice) otherwise."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    known = 0 < rate <= _FASTEST
    count = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))) if known and not live else 0
    rate = rate if known else 0.0 if live else VIDEO_RATE
    items = _frames(capture, without_password(spec), count, rate, live)
    first = next(items)
    if isinstance(first, Unreadable):
        capture.release()
        raise ImageError(advice)
    return FrameSource(spec, chain([first], items), count, rate, live, capture.release)


def _frames(capture: cv2.VideoCapture, source: str, count: int, rate: float, live: bool) -> _Items:
    """Yield the frames of a capture, and an Unreadable at last if it should have had more."""
    period = 1 / rate if rate else 0.0
    index, start, elapsed = 0, 0.0, 0.0
    while (image := _read(capture)) is not None:
        now = time.monotonic() if live else capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if index == 0:
            start = now
        else:  # stamps that are missing or jump back are replaced
            elapsed = now - start if now - start > elapsed else elapsed + period
        yield Frame(image, source, index, elapsed)
        index += 1
    if live:
        yield _unreadable(source, index, "gives no more pictures: unplugged, closed or out of reach")
    elif index == 0 or _falls_short(elapsed + period, count * period):
        length = f"{elapsed + period:.1f} of {count * period:.1f} seconds"
        yield _unreadable(source, index, f"ends after {length}: the file is cut off or damaged")


def _read(capture: cv2.VideoCapture) -> Image | None:
    try:
        return capture.read()[1]
    except cv2.error:
        return None


def _falls_short(seconds: float, length: float) -> bool:
    return length - seconds > max(_MAY_MISS_SHARE * length, _MAY_MISS_SECONDS)


def _unreadable(source: str, index: int, reason: str) -> Unreadable:
    return Unreadable(source, index, ImageError(f"'{source}' {reason}"))
