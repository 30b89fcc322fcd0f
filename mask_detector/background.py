"""Tell faces from what a face detector took for one: hands, patterns, the backs of heads.

A classifier may have one output more than there are classes, the last one, for background. It and the
face detector err on different things: a statue's face is a doubtful face to both, but never a sure one to
either. So a find counts by the product of what the two say, and a weak one needs a classifier without doubt.
"""

import numpy as np
from numpy.typing import NDArray

from mask_detector.classifiers.base import Scores
from mask_detector.model_store import ClassifierInfo

BACKGROUND = "background"

Floats = NDArray[np.floating]


def are_faces(scores: Scores, info: ClassifierInfo, needed: Floats | float = 0.0) -> NDArray[np.bool_]:
    """Return which finds are faces, shape (N,).

    Args:
        scores: the model's outputs, shape (N, outputs).
        info: the model.
        needed: probability of a face that each find must reach, shape (N,), see `needed_for`.
    """
    if info.background_threshold is None:
        return np.ones(len(scores), bool)
    background = scores[:, -1]
    return (background < info.background_threshold) & (1 - background >= needed)


def needed_for(found: Floats, least: Floats | float) -> Floats:
    """Return the probability of a face, shape (N,), with which both networks together reach `least`.

    Args:
        found: the face detector's scores, shape (N,).
        least: the score that each needs, shape (N,) or one for all.
    """
    return np.asarray(least / np.maximum(found, 1e-6))


def class_scores(scores: Scores, classes: int) -> Scores:
    """Return the probabilities of the classes alone, shape (N, classes); they sum to 1 again."""
    of_classes = scores[:, :classes]
    return of_classes / np.maximum(of_classes.sum(axis=1, keepdims=True), 1e-9)
