"""How a mask is worn, from many glances: a Bayes filter on the calibrated scores.

A hidden Markov model with rare changes: each frame multiplies the belief by its scores, and a
little of the belief leaks to the other classes, for people do change. Frames close together show
the same pose and the same blur, so one counts by the time that it adds, not as a whole piece of
evidence; a fast camera then decides neither sooner nor more nervously than a slow one. A glance at
a small face, on which the classifier errs more often, counts less, and so does one of whose lower
half somebody nearer covers a part: hair before a mouth looks much like a mask. A mean over a window is slower
for the same calm, and a vote forgets how sure each frame was.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]

SURE = 0.8  # belief from which a state is settled, and with which a new one begins: the hysteresis
_LEAST_SCORE = 0.02  # no single frame is believed to be surer
_CHANGES = 0.03  # how often a person changes the state, a second
GLANCES = 2  # independent pieces of evidence within the time to settle
_CLEAR_SIDE = 64.0  # pixels of a face's shorter side from which a glance counts in full
_HAIR = 0.6  # of a face's height, by which the head reaches above its box


@lru_cache(maxsize=2)  # asked for twice in each frame
def clarity(boxes: tuple[Box, ...]) -> Array:
    """Return how much a glance at each of the boxes in pixels counts, shape (N,), 0 to 1; read only.

    The boxes are those of everybody in the image.
    """
    array = np.array(boxes, float).reshape(-1, 4)
    large = np.minimum(array[:, 2:].min(axis=1, initial=np.inf) / _CLEAR_SIDE, 1.0) ** 2
    clear = large * (1 - _covered(*array.T)) if len(array) > 1 else large
    clear.flags.writeable = False
    return clear


def _covered(left: Array, top: Array, width: Array, height: Array) -> Array:
    """Return the share of each lower half that is behind the head of somebody nearer, shape (N,)."""
    right, bottom = left + width, top + height
    each = np.array([left, right, bottom - height / 2, bottom, width])[..., None]
    across = np.minimum(each[1], right) - np.maximum(each[0], left)
    down = np.minimum(each[3], bottom) - np.maximum(each[2], top - _HAIR * height)
    hides = (across > 0) & (down > 0) & (each[3] < bottom) & (each[4] < width)
    return (across * down * hides).max(axis=1) / (width * height / 2)


def believe(belief: Array, scores: Array, elapsed: Array, clear: Array, settle_time: float) -> Array:
    """Return the belief after one more frame.

    Args:
        belief: of N people before, shape (N, classes).
        scores: of the frame, shape (N, classes); they sum to 1, as the results do.
        elapsed: seconds since each was seen, shape (N,).
        clear: how much the glance at each counts, shape (N,), see `clarity`.
        settle_time: seconds of clear evidence that a change takes, about.
    """
    leak = 1 - np.exp(-_CHANGES * elapsed)[:, None]
    weight = (clear * np.minimum(elapsed * GLANCES / settle_time, 1.0))[:, None]
    expected = (1 - leak) * belief + leak / belief.shape[1]
    return _normalised(expected * np.maximum(scores, _LEAST_SCORE) ** weight)


def first_belief(scores: Array) -> Array:
    """Return the belief after the first frame, shape (N, classes)."""
    return _normalised(np.maximum(scores, _LEAST_SCORE))


def confirm(belief: Array, changed: NDArray[np.bool_]) -> Array:
    """Make the belief of those who `changed` at least SURE, so that it takes as much to go back."""
    if not changed.any():
        return belief
    tops = belief.max(axis=1, keepdims=True)
    doubtful = changed[:, None] & (tops < SURE)
    others = belief * (1 - SURE) / np.maximum(1 - tops, 1e-9)
    return np.where(doubtful, np.where(belief == tops, SURE, others), belief)


def _normalised(belief: Array) -> Array:
    return belief / belief.sum(axis=1, keepdims=True)
