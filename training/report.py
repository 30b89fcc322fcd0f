"""Write the figures of a classifier as JSON, Markdown and plots, without a picture of anybody."""

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

from training.figures import Figures, Sets, rounded
from training.metrics import reliability

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend without a screen must be chosen first)


def write_report(folder: Path, title: str, sets: Sets, classes: tuple[str, ...]) -> None:
    """Write report.json and report.md on the figures of each set and group."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps({"model": title, "sets": rounded(sets)}, indent=1) + "\n")
    lines = [f"# {title}", ""]
    for name, groups in sets.items():
        lines += [f"## {name}", "", *_table(groups, classes), "", *_confusion(groups["all"], classes), ""]
    (folder / "report.md").write_text("\n".join(lines))


def plot_confusion(path: Path, matrix: NDArray, classes: tuple[str, ...]) -> None:
    """Draw a confusion matrix with the counts in its fields."""
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    figure, axes = pyplot.subplots(figsize=(4.5, 4))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)
    axes.set_xticks(range(len(classes)), classes, rotation=20)
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="true")
    _finish(figure, path)


def plot_reliability(path: Path, labels: NDArray, probabilities: NDArray) -> None:
    """Draw the share that is right over the score; on the diagonal scores mean what they say."""
    figure, axes = pyplot.subplots(figsize=(4.5, 4))
    points = reliability(labels, probabilities)
    axes.plot([0, 1], [0, 1], "--", color="grey")
    scores, right, counts = np.array(points).T
    axes.scatter(scores, right, 8 + 200 * counts / len(labels))
    axes.set(
        xlabel="score of the chosen class", ylabel="share that is right", xlim=(0.3, 1.02), ylim=(0, 1.05)
    )
    axes.grid(alpha=0.3)
    _finish(figure, path)


def _finish(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=90, bbox_inches="tight")
    pyplot.close(figure)


def _table(groups: dict[str, Figures], classes: tuple[str, ...]) -> list[str]:
    head = ["faces", "macro-F1", "accuracy", "ECE", *[f"{name} P / R / F1" for name in classes]]
    lines = ["| | " + " | ".join(head) + " |", "| --- |" + " --- |" * len(head)]
    for name, group in groups.items():
        overall = (group[key] for key in ("macro_f1", "accuracy", "calibration_error"))
        cells = [str(group["faces"]), *[f"{value:.3f}" for value in overall]]
        cells += [_class_cell(group["classes"].get(label)) for label in classes]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _class_cell(figures: Figures | None) -> str:
    return "–" if figures is None else "{precision:.3f} / {recall:.3f} / {f1:.3f}".format(**figures)


def _confusion(group: Figures, classes: tuple[str, ...]) -> list[str]:
    lines = [
        f"| all faces: true ↓ predicted → | {' | '.join(classes)} |",
        "| --- |" + " --- |" * len(classes),
    ]
    rows = zip(classes, group["confusion"], strict=True)
    return lines + [f"| {name} | " + " | ".join(map(str, row)) + " |" for name, row in rows]
