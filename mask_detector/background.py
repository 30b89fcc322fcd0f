"""Tell faces from what a face detector took for one: hands, patterns, the backs of heads.

A classifier may have one output more than there are classes, the last one, for background.
"""

import numpy as np
from numpy.typing import NDArray

from mask_detector.classifiers.base import Scores
from mask_detector.model_store import ClassifierInfo

BACKGROUND = "background"


def are_faces(scores: Scores, info: ClassifierInfo) -> NDArray[np.bool_]:
    """Return which finds are faces, shape (N,), by the model's outputs of shape (N, outputs)."""
    if info.background_threshold is None:
        return np.ones(len(scores), bool)
    return scores[:, -1] < info.background_threshold


def class_scores(scores: Scores, classes: int) -> Scores:
    """Return the probabilities of the classes alone, shape (N, classes); they sum to 1 again."""
    of_classes = scores[:, :classes]
    return of_classes / np.maximum(of_classes.sum(axis=1, keepdims=True), 1e-9)
