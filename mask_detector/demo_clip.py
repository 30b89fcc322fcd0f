"""Make the clip that the demo plays where there is neither a source nor a webcam.

A public-domain portrait (see data/README.md) under a slowly moving camera; a drawn mask is put on
properly, slips below the nose, is put right, hangs on the chin and comes off.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.mask_drawing import NOSE_OUT, ON_CHIN, PROPER, Wearing, draw_mask
from mask_detector.outputs import VideoWriter

RATE = 15.0
WIDTH, HEIGHT = 640, 480
_STORY: tuple[tuple[float, Wearing | None], ...] = (  # seconds, and how the mask is worn
    (2.5, None),
    (2.5, PROPER),
    (2.5, NOSE_OUT),
    (2.0, PROPER),
    (2.5, ON_CHIN),
    (2.0, None),
)
LANDMARKS = ((200, 102), (247, 102), (220, 124), (199, 142), (240, 143))  # of the face in the portrait
_FACE = (223.0, 120.0)


def portrait() -> Image:
    """Return the portrait, BGR of shape (512, 512, 3)."""
    return cv2.imread(str(Path(__file__).parent / "data" / "astronaut.jpg"))


def make_demo_clip(path: Path) -> Path:
    """Write the clip as MP4 to `path`, unless it is there, and return `path`."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with VideoWriter(path, RATE) as video:
            for frame in _frames():
                video.write(frame)
    return path


def _frames() -> Iterator[Image]:
    total = sum(seconds for seconds, _ in _STORY)
    number = 0
    for seconds, wearing in _STORY:
        bare = portrait()
        person = bare if wearing is None else draw_mask(bare, LANDMARKS, wearing)
        for _ in range(round(seconds * RATE)):
            yield _seen(person, number / RATE / total)
            number += 1


def _seen(person: Image, progress: float) -> Image:
    """Return what the camera sees at `progress`, 0 to 1: it swings, nears and tilts a little."""
    turn = 2 * np.pi * progress
    matrix = cv2.getRotationMatrix2D(_FACE, 6 * np.sin(2 * turn), 1.25 + 0.45 * np.sin(turn))
    matrix[:, 2] += (WIDTH / 2 - _FACE[0] + 90 * np.sin(1.5 * turn), HEIGHT * 0.42 - _FACE[1])
    return cv2.warpAffine(person, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
