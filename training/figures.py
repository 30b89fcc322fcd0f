"""The figures of a classifier on a set of faces: over all, by size and by source."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mask_detector.model_store import load_manifest
from training.cropset import CropSet
from training.errors import TrainingError
from training.metrics import (
    calibration_error,
    class_figures,
    confusion_matrix,
    interval,
    log_loss,
    macro_f1,
    macro_f1_interval,
)

SMALLEST_JUDGED = 32  # pixels of a box's shorter side; below, the label says little about the model
SIZES = (0, SMALLEST_JUDGED, 64, 128, 100_000)
Figures = dict[str, Any]
Sets = dict[str, dict[str, Figures]]


def judged(faces: CropSet) -> NDArray[np.bool_]:
    """Tell which faces are large enough to judge a model by."""
    return faces.sides >= SMALLEST_JUDGED


def require_judged(val_set: CropSet) -> None:
    """Stop where no validation face is large enough to judge a model by; tell of classes without one."""
    classes, labels = load_manifest().class_ids, val_set.labels[judged(val_set)]
    missing = ", ".join(name for number, name in enumerate(classes) if number not in labels)
    told = f"the validation data hold no face from {SMALLEST_JUDGED} px of class {missing}"
    if not len(labels):
        raise TrainingError(f"{told}, by which models are chosen and calibrated: add pictures to data.val")
    if missing:
        print(f"{told}: how well that is told stays unknown", flush=True)


def figures(labels: NDArray, probabilities: NDArray, classes: tuple[str, ...]) -> Figures:
    """Return accuracy, macro-F1, calibration error, the figures of each class, and the confusion matrix.

    `accuracy_95`, `macro_f1_95` and `recall_95` are 95 % intervals, as if each face had come by itself.
    """
    matrix = confusion_matrix(labels, probabilities.argmax(1), len(classes))
    right = np.diag(matrix).tolist()
    of_class = {
        name: vars(f) | {"recall_95": interval(count, f.faces)}
        for name, f, count in zip(classes, class_figures(matrix), right, strict=True)
        if f.faces
    }
    return {
        "faces": len(labels),
        "accuracy": sum(right) / max(len(labels), 1),
        "accuracy_95": interval(sum(right), len(labels)),
        "macro_f1": macro_f1(matrix),
        "macro_f1_95": macro_f1_interval(matrix),
        "calibration_error": calibration_error(labels, probabilities),
        "log_loss": log_loss(labels, probabilities),
        "classes": of_class,
        "confusion": matrix.tolist(),
    }


def grouped_figures(faces: CropSet, probabilities: NDArray, classes: tuple[str, ...]) -> dict[str, Figures]:
    """Return figures of all faces, those large enough, and by size and source."""
    groups = {"all": np.ones(len(faces), bool), f"short side from {SMALLEST_JUDGED} px": judged(faces)}
    for low, high in zip(SIZES[:-1], SIZES[1:], strict=True):
        name = f"short side {low} to {high - 1} px" if high < SIZES[-1] else f"short side from {low} px"
        groups[name] = (faces.sides >= low) & (faces.sides < high)
    for source in np.unique(faces.sources):
        groups[f"source {source}"] = faces.sources == source
    return {
        name: figures(faces.labels[chosen], probabilities[chosen], classes)
        for name, chosen in groups.items()
        if chosen.any()
    }


def rounded(value: Any) -> Any:
    """Return figures with four digits after the point."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value
