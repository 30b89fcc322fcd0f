"""OpenCV's video files without their traps: its own log on stderr, and names that it cannot take."""

import os

import cv2

from mask_detector.errors import ImageError


def opencv_path(path: str | os.PathLike[str]) -> str:
    """Return the absolute path of a video for OpenCV: FFmpeg takes the start of `12:30.mp4` for a protocol.

    Raises:
        ImageError: the path is not UTF-8, on which OpenCV crashes.
    """
    name = os.path.abspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ImageError(f"the path {name!a} is not UTF-8, which videos need: rename it") from None
    return name


def quiet_opencv() -> None:
    """Keep OpenCV and its FFmpeg from writing to stderr: why a video fails, the caller says better."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    set_log_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel  # moved after 4.6
    set_log_level(0)


def frame_count(video: str | os.PathLike[str]) -> int:
    """Return the number of frames that a video file states, 0 if it is not one."""
    quiet_opencv()
    return max(0, int(cv2.VideoCapture(opencv_path(video)).get(cv2.CAP_PROP_FRAME_COUNT)))
