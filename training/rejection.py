"""How well a classifier tells faces from what a detector took for one: what is lost, what is kept out."""

import numpy as np
from numpy.typing import NDArray

from mask_detector.background import face_probabilities
from mask_detector.classifiers import Classifier
from mask_detector.classifiers.base import Scores
from mask_detector.model_store import ClassifierInfo
from training.cropset import CropSet
from training.figures import Figures, judged

LOST = 0.003  # share of the validation faces that may be taken for background, but always one
LEAST = 0.5  # the least threshold: background must be likelier than all classes together
MOST = 0.9  # and the largest: a few odd faces are lost before all background is let in


def fit_background_threshold(outputs: Scores) -> float:
    """Return the least threshold that keeps all but a few faces, whose outputs are (N, classes + 1).

    One may always go: of a few hundred faces the worst alone would keep all background in.
    """
    kept = np.sort(outputs[:, -1])[: -max(1, int(LOST * len(outputs)))]
    return round(min(max(LEAST, float(kept.max(initial=0)) + 1e-4), MOST), 4)


def rejection_figures(
    classifier: Classifier, faces: CropSet, background: CropSet, classes: tuple[str, ...]
) -> Figures:
    """Return how many large faces of each class are rejected, and how much background of each kind."""
    faces = faces.where(judged(faces))
    lost = _rejected(classifier.classify(faces.crops), classifier.info)
    kept_out = _rejected(classifier.classify(background.crops), classifier.info)
    kinds = np.unique(background.sources).tolist()
    return {
        "faces": {name: _counts(lost[faces.labels == label]) for label, name in enumerate(classes)},
        "background": {kind: _counts(kept_out[background.sources == kind]) for kind in kinds},
    }


def rejection_table(figures: Figures) -> list[str]:
    """Return the figures as lines of Markdown."""
    lines = ["| what | crops | rejected |", "| --- | --- | --- |"]
    groups = {**figures["faces"], **{f"no face: {kind}": row for kind, row in figures["background"].items()}}
    lines += [
        f"| {name} | {row['crops']} | {row['rejected']} |" for name, row in groups.items() if row["crops"]
    ]
    return lines


def _rejected(outputs: Scores, info: ClassifierInfo) -> NDArray[np.bool_]:
    return face_probabilities(outputs, info) == 0


def _counts(rejected: NDArray[np.bool_]) -> Figures:
    return {"crops": len(rejected), "rejected": int(rejected.sum())}
