"""Fit a head to the five landmarks of a face, so that a mask turns and tilts with it.

The head's own axes: the origin between the eyes, x towards the person's left, y down to the chin,
z out of the face; the unit is the distance between the eyes.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

SMALLEST = 12.0  # pixels between the eyes; on smaller faces the landmarks are too coarse
_FURTHEST = np.radians(50)  # a head turned further shows too little of its front
_LANDMARKS = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.64, 0.42], [-0.4, 1.08, 0.03], [0.4, 1.08, 0.03]])
_USUAL = np.array([0.0, 0.0, 0.0, 1.0])  # yaw, pitch, roll in radians and the length of the face
_TRUST = np.array([0.05, 0.35, 0.0, 0.3])  # how hard each is drawn to the usual, against one unit of misfit
_ROUNDS = 12


@dataclass(frozen=True)
class FaceFrame:
    """Where a head is in a picture: `matrix` (2, 3) and `origin` (2,) take its axes to pixels."""

    matrix: Points
    origin: Points
    depth: Points
    scale: float

    def at(self, points: Points) -> Points:
        """Return pixels, shape (..., 2), of points of the head, shape (..., 3)."""
        return points @ self.matrix.T + self.origin

    def seen_from(self, left: int, top: int) -> "FaceFrame":
        """Return the frame in a picture whose first pixel is (left, top) of this one."""
        return replace(self, origin=self.origin - (left, top))

    def nearness(self, points: Points) -> Points:
        """Return how far points (..., 3) stand towards the camera, shape (...)."""
        return points @ self.depth


def face_frame(face: NDArray[np.float32]) -> FaceFrame | None:
    """Return the frame of a detected face (15 numbers, see `face_detectors.base`), None if refused."""
    return None if refusal(face) else _fit(_landmarks(face))[0]


def refusal(face: NDArray[np.float32]) -> str:
    """Return why no mask can be drawn on a detected face, '' if one can."""
    points = _landmarks(face)
    if not np.isfinite(points).all():
        return "detector gives no landmarks"
    if np.linalg.norm(points[3:].mean(0) - points[:2].mean(0)) < SMALLEST:
        return f"face too small (less than {SMALLEST:.0f} pixels from eyes to mouth)"
    frame, yaw = _fit(points)
    if frame.scale < SMALLEST or abs(yaw) > _FURTHEST:
        return "face turned too far aside"
    return ""


def _landmarks(face: NDArray[np.float32]) -> Points:
    return np.asarray(face, float)[4:14].reshape(5, 2)


def _fit(points: Points) -> tuple[FaceFrame, float]:
    """Return the frame with the least misfit, by Gauss-Newton, and its yaw."""
    across = points[1] - points[0]
    pose = np.array([0, 0, np.arctan2(across[1], across[0]), 1.0])
    for _ in range(_ROUNDS):
        misfit = _misfit(pose, points)
        steps = np.eye(4) * 1e-4
        slope = np.stack([(_misfit(pose + step, points) - misfit) / 1e-4 for step in steps], axis=1)
        pose = pose - np.linalg.lstsq(slope, misfit, rcond=None)[0].clip(-0.4, 0.4)
    turned, scale, origin = _placed(pose, points)
    stretch = np.array([1, pose[3], 1])
    return FaceFrame(scale * turned[:2] * stretch, origin, turned[2] * stretch, scale), float(pose[0])


def _misfit(pose: Points, points: Points) -> Points:
    """Return how far the landmarks lie off, in units of the head, and how unusual the pose is."""
    turned, scale, origin = _placed(pose, points)
    seen = scale * _LANDMARKS * (1, pose[3], 1) @ turned[:2].T + origin
    return np.concatenate([((seen - points) / scale).ravel(), (pose - _USUAL) * _TRUST])


def _placed(pose: Points, points: Points) -> tuple[Points, float, Points]:
    """Return the turn (3, 3) of a pose, with the scale and origin that suit the points best."""
    turned = _turn(*pose[:3])
    seen = _LANDMARKS * (1, pose[3], 1) @ turned[:2].T
    spread, wanted = seen - seen.mean(0), points - points.mean(0)
    scale = max(float((spread * wanted).sum() / (spread**2).sum()), 1e-3)
    return turned, scale, points.mean(0) - scale * seen.mean(0)


def _turn(yaw: float, pitch: float, roll: float) -> Points:
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    aside = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ aside @ nod
