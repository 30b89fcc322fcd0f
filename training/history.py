"""The history of a run as a table and as curves."""

import csv
import io
from pathlib import Path
from typing import Any

import matplotlib

from training.formats.base import write_file

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend without a screen must be chosen first)


def write_history(path: Path, history: list[dict[str, Any]]) -> None:
    """Write a line an epoch as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, history[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_file(path, text.getvalue().encode())


def plot_history(path: Path, history: list[dict[str, Any]]) -> None:
    """Draw the losses and the F1 of the validation faces over the epochs."""
    figure, (losses, scores) = pyplot.subplots(1, 2, figsize=(11, 4))
    epochs = [facts["epoch"] for facts in history]
    for key in history[0]:
        if key not in ("epoch", "seconds"):
            axes = losses if key.endswith("loss") else scores
            axes.plot(epochs, [facts[key] for facts in history], label=key)
    for axes in (losses, scores):
        axes.set_xlabel("epoch")
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)
