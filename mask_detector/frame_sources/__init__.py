"""Frames from pictures, folders, videos, webcams and streams, all through `open_source`. Knows no ROS."""

import os
from contextlib import suppress

from mask_detector.errors import ImageError
from mask_detector.frame_sources.base import Frame, FrameSource, Unreadable
from mask_detector.frame_sources.captures import (
    is_stream,
    is_webcam,
    open_stream,
    open_video,
    open_webcam,
    webcams,
    without_password,
)
from mask_detector.frame_sources.pictures import is_picture, open_folder, open_picture, pictures_in

__all__ = [
    "Frame",
    "FrameSource",
    "Unreadable",
    "default_source",
    "is_picture",
    "is_stream",
    "is_webcam",
    "open_source",
    "pictures_in",
    "without_password",
]


def open_source(spec: str) -> FrameSource:
    """Open a picture, a folder of pictures, a video, a webcam (`0`, `/dev/video0`) or a stream (`rtsp://…`).

    Raises:
        ImageError: there is no such thing, or not one frame of it can be read.
    """
    if is_stream(spec):
        return open_stream(spec)
    if is_webcam(spec):
        return open_webcam(spec)
    if os.path.isdir(spec):
        return open_folder(spec)
    return open_picture(spec) if is_picture(spec) else open_video(spec)


def default_source() -> str | None:
    """Return the first webcam that gives a picture, if there is one."""
    for device in webcams():
        with suppress(ImageError), open_source(device):
            return device
    return None
