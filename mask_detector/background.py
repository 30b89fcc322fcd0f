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


def face_probabilities(scores: Scores, info: ClassifierInfo) -> Floats:
    """Return the probability that each find is a face, shape (N,): 0 from the threshold for background on.

    It is 1 by a model that has no output for background; `scores` are its outputs, shape (N, outputs).
    """
    if info.background_threshold is None:
        return np.ones(len(scores), np.float32)
    background = scores[:, -1]
    return np.where(background < info.background_threshold, 1 - background, 0)


def are_people(found: Floats, faces: Floats, least: Floats | float) -> NDArray[np.bool_]:
    """Return which finds are people, shape (N,): whose score times the probability of a face is enough.

    Args:
        found: the face detector's scores, shape (N,).
        faces: the classifier's probabilities of a face, shape (N,), see `face_probabilities`.
        least: what the product must reach, shape (N,) or one for all.
    """
    return (faces > 0) & (found * faces >= least)


def class_scores(scores: Scores, classes: int) -> Scores:
    """Return the probabilities of the classes alone, shape (N, classes); they sum to 1 again."""
    of_classes = scores[:, :classes]
    return of_classes / np.maximum(of_classes.sum(axis=1, keepdims=True), 1e-9)
