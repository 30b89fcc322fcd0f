"""Draw face masks onto bare faces, for the demo clip; `training.masks` draws those that are learnt from.

A mask is drawn in a frame of the face: the origin midway between the eyes, x towards the person's
left eye, y towards the mouth, the unit the distance between the eyes. A picture of the mask is
warped from there onto the face.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mask_detector.crops import Image

_UNIT = 96  # pixels of one unit in the drawn mask
_LEFT, _TOP = 1.6, 0.6  # how far the drawing reaches beyond the origin, in units
_SIZE = (round(2 * _LEFT * _UNIT), round(3.2 * _UNIT))
_STRAP = (235, 235, 235)


@dataclass(frozen=True)
class Wearing:
    """One way to wear a mask: the right half of its outline from top to bottom, and the ear's place."""

    outline: tuple[tuple[float, float], ...]
    ear: tuple[float, float] = (1.3, 0.25)


PROPER = Wearing(((0, 0.3), (0.35, 0.42), (1.0, 0.55), (1.02, 1.2), (0.6, 1.72), (0, 1.88)))
NOSE_OUT = Wearing(((0, 0.86), (0.4, 0.84), (1.0, 0.72), (1.02, 1.25), (0.6, 1.75), (0, 1.92)))
ON_CHIN = Wearing(((0, 1.38), (0.45, 1.32), (0.98, 1.0), (0.95, 1.45), (0.6, 1.9), (0, 2.08)))


def draw_mask(
    image: Image, landmarks: ArrayLike, wearing: Wearing, colour: ArrayLike = (214, 190, 140)
) -> Image:
    """Return a copy of a BGR image with a mask drawn on a face.

    Args:
        image: shape (height, width, 3).
        landmarks: right eye, left eye, nose tip, right and left mouth corner in pixels, shape (5, 2);
            right and left are the person's own.
        wearing: how the mask is worn.
        colour: of the cloth, BGR.
    """
    points = np.asarray(landmarks, np.float32).reshape(5, 2)
    mask, alpha = _mask_picture(wearing, np.asarray(colour, np.float32))
    to_image = _face_frame(points) @ _drawing_to_frame()
    size = (image.shape[1], image.shape[0])
    alpha = cv2.warpAffine(alpha, to_image[:2], size, flags=cv2.INTER_AREA)[..., None]
    warped = cv2.warpAffine(mask, to_image[:2], size, flags=cv2.INTER_AREA)
    return (image * (1 - alpha) + warped * _light(image, points) * alpha).clip(0, 255).astype(np.uint8)


def _mask_picture(wearing: Wearing, colour: NDArray[np.float32]) -> tuple[NDArray, NDArray]:
    """Return the mask's colours, (H, W, 3), and how far it covers, (H, W) from 0 to 1, as floats."""
    half = np.array(wearing.outline)
    outline = np.vstack([half, (half * (-1, 1))[::-1]])
    alpha = np.zeros(_SIZE[::-1], np.float32)
    for side in (1, -1):
        for corner in (half[2], half[3]):
            strap = _pixels(np.array([corner, wearing.ear]) * (side, 1))
            cv2.polylines(alpha, [strap], False, 0.9, 3, cv2.LINE_AA)
    mask = np.full((*alpha.shape, 3), _STRAP, np.float32)
    cv2.fillPoly(alpha, [_pixels(outline)], 1.0, cv2.LINE_AA)
    cloth = np.zeros_like(alpha)
    cv2.fillPoly(cloth, [_pixels(outline)], 1.0)
    shaded = colour * _shading(half)[..., None]
    mask = np.where(cloth[..., None] > 0, shaded, mask)
    return mask, cv2.GaussianBlur(alpha, (0, 0), 1.0)


def _shading(half: NDArray) -> NDArray[np.float32]:
    """Return the brightness of the cloth: rounded at the sides, with pleats across."""
    rows, columns = np.mgrid[0 : _SIZE[1], 0 : _SIZE[0]] / _UNIT
    rounded = 1.05 - 0.3 * ((columns - _LEFT) / 1.05) ** 2
    depth = (rows - _TOP - half[0, 1]) / (half[-1, 1] - half[0, 1])
    pleats = 1 - 0.12 * np.exp(-(((depth * 4) % 1 - 0.5) ** 2) / 0.006)
    return (rounded * pleats).astype(np.float32)


def _light(image: Image, points: NDArray[np.float32]) -> float:
    """Return how bright the face is, so that a mask in a dark picture is dark."""
    x, y = points.mean(axis=0).round().astype(int)
    reach = max(2, round(float(np.linalg.norm(points[1] - points[0])) / 2))
    face = image[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach]
    return float(np.clip(face.mean() / 150, 0.25, 1.15)) if face.size else 1.0


def _face_frame(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the 3x3 matrix from the frame of the face to pixels."""
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across = points[1] - points[0]
    down = (mouth - eyes) / 1.1  # the mouth lies about 1.1 eye distances below the eyes
    return np.array([[across[0], down[0], eyes[0]], [across[1], down[1], eyes[1]], [0, 0, 1]], np.float32)


def _drawing_to_frame() -> NDArray[np.float32]:
    return np.array([[1 / _UNIT, 0, -_LEFT], [0, 1 / _UNIT, -_TOP], [0, 0, 1]], np.float32)


def _pixels(points: NDArray) -> NDArray[np.int32]:
    return ((points + (_LEFT, _TOP)) * _UNIT).round().astype(np.int32)
