"""Figures of a classifier, from labels (N,) and probabilities (N, classes); pure numpy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float32]
BINS = 10
DRAWS = 1000  # of an interval


@dataclass(frozen=True)
class ClassFigures:
    """How well one class is told, over `faces` faces of it."""

    precision: float
    recall: float
    f1: float
    faces: int


def confusion_matrix(labels: Labels, predicted: Labels, classes: int) -> NDArray[np.int64]:
    """Return counts, shape (classes, classes): the true class down, the predicted one across."""
    return np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)


def class_figures(matrix: NDArray[np.int64]) -> list[ClassFigures]:
    """Return precision, recall and F1 of each class; 0 where there is nothing to divide."""
    right, true, told = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    precision = right / np.maximum(told, 1)
    recall = right / np.maximum(true, 1)
    f1 = 2 * right / np.maximum(true + told, 1)
    return [
        ClassFigures(float(p), float(r), float(f), int(n))
        for p, r, f, n in zip(precision, recall, f1, true, strict=True)
    ]


def macro_f1(matrix: NDArray[np.int64]) -> float:
    """Return the mean F1 over the classes that occur."""
    figures = [figure.f1 for figure in class_figures(matrix) if figure.faces]
    return float(np.mean(figures)) if figures else 0.0


def interval(right: int, of: int) -> list[float]:
    """Return the 95 % interval (Wilson's) of the share `right` of `of`: [low, high]."""
    square = 1.96**2 / max(of, 1)
    share = right / max(of, 1)
    middle, half = share + square / 2, (share * (1 - share) * square + square**2 / 4) ** 0.5
    return [(middle - half) / (1 + square), (middle + half) / (1 + square)]


def macro_f1_interval(matrix: NDArray[np.int64]) -> list[float]:
    """Return the 95 % interval of the macro-F1, [low, high], by drawing as many faces again (bootstrap)."""
    shares = matrix.ravel() / max(matrix.sum(), 1)
    if not shares.any():
        return [0.0, 0.0]
    drawn = np.random.default_rng(0).multinomial(matrix.sum(), shares, size=DRAWS)
    return np.percentile([macro_f1(one.reshape(matrix.shape)) for one in drawn], [2.5, 97.5]).tolist()


def log_loss(labels: Labels, probabilities: Probabilities) -> float:
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-7)).mean())


def reliability(labels: Labels, probabilities: Probabilities) -> list[tuple[float, float, int]]:
    """Return (mean score, share right, faces) for each bin of the highest score that is not empty."""
    scores, right = probabilities.max(1), probabilities.argmax(1) == labels
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        (float(scores[bins == b].mean()), float(right[bins == b].mean()), int((bins == b).sum()))
        for b in np.unique(bins)
    ]


def calibration_error(labels: Labels, probabilities: Probabilities) -> float:
    """Return the expected calibration error: how far scores lie from the share that is right."""
    parts = reliability(labels, probabilities)
    return sum(abs(score - right) * count for score, right, count in parts) / max(len(labels), 1)


def sharpen(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Return the softmax of the logits over `temperature`."""
    logits = np.log(np.maximum(probabilities, 1e-12)) / temperature
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def fit_temperature(labels: Labels, probabilities: Probabilities) -> float:
    """Return the temperature under which the probabilities fit the labels best."""
    candidates = np.exp(np.linspace(np.log(0.2), np.log(5), 200))
    losses = [log_loss(labels, sharpen(probabilities, temperature)) for temperature in candidates]
    return float(candidates[int(np.argmin(losses))])
