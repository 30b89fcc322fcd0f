"""Pictures as a video shows them: all of one size, compressed, each for some frames."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2

from mask_detector.crops import Image
from mask_detector.opencv_video import opencv_path
from mask_detector.outputs import VideoWriter
from mask_detector.outputs.pictures import fitted

FRAMES = 5  # of each picture
RATE = 25.0  # frames a second


def as_clip(pictures: Sequence[Image], size: tuple[int, int]) -> Iterator[list[Image]]:
    """Yield the frames that show each of the pictures in one video of `size` (width, height)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with VideoWriter(path, RATE) as video:
            for picture in pictures:
                frame = fitted(picture, *size)
                for _ in range(FRAMES):
                    video.write(frame)
        reader = cv2.VideoCapture(opencv_path(path))
        for _ in pictures:
            yield [reader.read()[1] for _ in range(FRAMES)]
