"""Read light, sharpness and noise off a picture, so that a drawn mask belongs to it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from training.masks.frame import FaceFrame, Points

Floats = NDArray[np.float32]

_FACE = np.array([(0, -0.75), (0.7, -0.45), (0.95, 0.2), (0.85, 1.1), (0.5, 1.6), (0, 1.75)])
_WELL_LIT, _WHITE = 150.0, 225.0  # grey of a face and of white things in good light
# The finest detail over the next finer one in real faces (median of 14), by the blur put on them
_DETAIL = [0.42, 0.44, 0.47, 0.54, 0.655, 0.82, 0.965]
_SOFTNESS = [3.0, 2.5, 1.8, 1.2, 0.8, 0.5, 0.0]


@dataclass(frozen=True)
class Light:
    """What falls on a face: `field` (H, W, 3) multiplies colours; `direction` is where it comes from."""

    field: Floats
    direction: Points
    skin: Floats


def read_light(picture: Image, patch: Image, frame: FaceFrame) -> Light:
    """Return the light on a patch of a BGR picture; the frame is that of the face in the patch."""
    seen = _face_area(patch.shape[:2], frame)
    grey = cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(np.float32)
    smooth = _average(grey, seen, max(1.0, 0.3 * frame.scale))
    face = float(np.median(grey[seen > 0])) if seen.any() else _WELL_LIT
    white, cast = _white(picture)
    level = np.clip(0.5 * face / _WELL_LIT + 0.5 * white / _WHITE, 0.25, 1.12)
    shade = np.clip(smooth / max(face, 1), 0.6, 1.35) ** 0.75
    return Light((level * shade)[..., None] * cast, _direction(smooth, frame), _skin(patch, seen))


def softness(picture: Image) -> float:
    """Return the deviation in pixels of the blur that a picture has undergone, 0 if it is sharp."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    once, twice = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1, 2))
    detail = np.abs(grey - once).mean() / max(float(np.abs(once - twice).mean()), 1e-3)
    return float(np.interp(detail, _DETAIL, _SOFTNESS))


def noise(picture: Image) -> float:
    """Return the deviation of a picture's noise in grey levels, after Immerkaer, by the median."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    kernel = np.float32([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    return float(min(np.median(np.abs(cv2.filter2D(grey, -1, kernel))) / 0.6745 / 6, 12))


def face_outline(frame: FaceFrame) -> Points:
    """Return the outline of a face in pixels, (N, 2)."""
    places = np.vstack([_FACE, (_FACE * (-1, 1))[::-1]])
    return frame.at(np.column_stack([places, np.zeros(len(places))]))


def _face_area(shape: tuple[int, int], frame: FaceFrame) -> NDArray[np.uint8]:
    corners = face_outline(frame)
    area = np.zeros(shape, np.uint8)
    cv2.fillPoly(area, [corners.round().astype(np.int32)], 1)
    return area


def _average(values: Floats, where: NDArray[np.uint8], reach: float) -> Floats:
    """Blur values over an area alone; beyond it they go on as its mean."""
    mean = values[where > 0].mean() if where.any() else values.mean()
    size = values.shape[::-1]
    step = max(1.0, reach / 4)  # wide blurs are slow, and as good on a smaller image
    small = tuple(max(1, round(side / step)) for side in size)
    sums = np.dstack([values * where, where.astype(np.float32)])
    sums = cv2.GaussianBlur(cv2.resize(sums, small, interpolation=cv2.INTER_AREA), (0, 0), reach / step)
    average = (sums[..., 0] + 1e-3 * mean) / (sums[..., 1] + 1e-3)
    return cv2.resize(average, size, interpolation=cv2.INTER_LINEAR)


def _white(picture: Image) -> tuple[float, Floats]:
    """Return how bright white things are, and the tint of the light (3,), read off the brightest."""
    small = cv2.resize(picture, (96, 96), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    bright = small[grey >= np.percentile(grey, 92)].reshape(-1, 3).mean(axis=0)
    cast = np.clip(bright / max(bright.mean(), 1), 0.75, 1.25) ** 0.6
    return float(np.percentile(grey, 98)), cast.astype(np.float32)


def _direction(smooth: Floats, frame: FaceFrame) -> Points:
    """Return the unit vector to the light in picture axes: from above, and from the brighter cheek."""
    cheeks = frame.at(np.array([[-0.6, 0.6, 0.0], [0.6, 0.6, 0.0]])).round().astype(int)
    height, width = smooth.shape
    left, right = (float(smooth[min(max(y, 0), height - 1), min(max(x, 0), width - 1)]) for x, y in cheeks)
    aside = np.clip(2.5 * (right - left) / max(right + left, 1), -0.8, 0.8)
    direction = np.array([aside, -0.45, 0.9])
    return direction / np.linalg.norm(direction)


def _skin(picture: Image, seen: NDArray[np.uint8]) -> Floats:
    """Return how alike each pixel is to the face's skin, 0 to 1."""
    colours = cv2.cvtColor(picture, cv2.COLOR_BGR2LAB).astype(np.float32)
    face = colours[seen > 0]
    if not len(face):
        return np.ones(picture.shape[:2], np.float32)
    middle, spread = np.median(face, axis=0), np.float32([45, 10, 12])
    distance = (((colours - middle) / spread) ** 2).sum(axis=2)
    return cv2.GaussianBlur(np.exp(-distance / 4), (0, 0), 1.0)
