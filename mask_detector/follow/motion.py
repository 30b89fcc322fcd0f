"""Where faces will be: a Kalman filter of constant velocity for many people at once.

A place is ``[centre x, centre y, size]`` in pixels, the size being the root of the box's area.
Variances are counted in sizes of the face, so that near and far people are treated alike; all
three coordinates of a person then share one small covariance, which makes the filter a few
operations on arrays of length N.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_JITTER = 0.06**2  # variance of a found place; boxes of a still face scatter by some percent
_FIRST_SPEED = 4.0**2  # variance of an unknown speed, sizes a second: a walker right before the camera
_UNREST = 2.0  # how fast speeds change, sizes²/s³

_CENTRES = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0, 0], [0, 0.5, 0]])  # from boxes to their centres

COASTING = 1.5  # seconds for which the speed of somebody unseen is worth something
FARTHEST = 16.0  # squared distance in standard deviations, three coordinates: 1 find in 1000 is farther


@dataclass(frozen=True)
class Motions:
    """Places and speeds of N people at one time.

    Attributes:
        places: shape (N, 3), pixels.
        speeds: shape (N, 3), pixels a second.
        spread: variance of the place, covariance of place and speed, variance of the speed; shape
            (N, 3), in sizes and seconds.
    """

    places: Array
    speeds: Array
    spread: Array

    @classmethod
    def starting(cls, places: Array) -> "Motions":
        """Return the motions of people who are seen for the first time."""
        spread = np.tile([_JITTER, 0.0, _FIRST_SPEED], (len(places), 1))
        return cls(places, np.zeros_like(places), spread)

    def after(self, seconds: float) -> "Motions":
        """Return the motions as they are expected to be after a while."""
        if seconds == 0:
            return self
        drift = np.array([[1.0, 0.0, 0.0], [2 * seconds, 1.0, 0.0], [seconds**2, seconds, 1.0]])
        unrest = (_UNREST * seconds**3 / 3, _UNREST * seconds**2 / 2, _UNREST * seconds)
        places = self.places + min(seconds, COASTING) * self.speeds
        return Motions(places, self.speeds, self.spread @ drift + unrest)

    def standing(self, who: NDArray[np.bool_]) -> "Motions":
        """Return the motions with those marked in `who`, shape (N,), where they are."""
        return Motions(self.places, np.where(who[:, None], 0.0, self.speeds), self.spread)

    def corrected(self, rows: NDArray[np.intp], places: Array) -> "Motions":
        """Return the motions after the people in `rows` were found at `places`, shape (rows, 3).

        The speed of whoever is found where nobody would have looked is as unknown as a newcomer's.
        """
        place, both, speed = self.spread[rows].T
        gain, speed_gain = place / (place + _JITTER), both / (place + _JITTER)
        errors = places - self.places[rows]
        sizes = np.maximum(self.places[rows, 2], 1.0)
        surprising = (errors**2).sum(axis=1) > FARTHEST * (place + _JITTER) * sizes**2
        new = Motions(self.places.copy(), self.speeds.copy(), self.spread.copy())
        new.places[rows] += gain[:, None] * errors
        new.speeds[rows] += speed_gain[:, None] * errors
        speed = np.where(surprising, _FIRST_SPEED, speed - speed_gain * both)
        new.spread[rows] = np.array([(1 - gain) * place, (1 - gain) * both, speed]).T
        return new

    def distances(self, places: Array) -> tuple[Array, Array, Array]:
        """Compare N motions with M places.

        Returns:
            The squared distance in standard deviations and the plain one in sizes, shape (N, M), and
            how many times the variance of a find the expectation's own is, shape (N, 1).
        """
        away = (places[None] - self.places[:, None]) / np.maximum(self.places[:, None, 2:], 1.0)
        squares = away * away
        plain = squares[..., 0] + squares[..., 1]
        variance = self.spread[:, :1] + _JITTER
        return (plain + squares[..., 2]) / variance, np.sqrt(plain), variance / _JITTER

    def joined(self, others: "Motions") -> "Motions":
        """Return these and then the others."""
        pairs = zip(self._parts, others._parts, strict=True)
        return Motions(*(np.concatenate(pair) for pair in pairs))

    def only(self, keep: NDArray[np.bool_]) -> "Motions":
        """Return those marked in `keep`, shape (N,)."""
        if keep.all():
            return self
        return Motions(*(part[keep] for part in self._parts))

    @property
    def _parts(self) -> tuple[Array, Array, Array]:
        return self.places, self.speeds, self.spread


def places_of(boxes: NDArray) -> Array:
    """Return the places of boxes ``[x, y, width, height]``, shape (M, 4); shape (M, 3)."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    places = boxes @ _CENTRES
    np.sqrt(boxes[:, 2] * boxes[:, 3], out=places[:, 2])
    return places
