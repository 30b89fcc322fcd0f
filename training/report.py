"""Write the figures of a classifier as JSON, Markdown and plots, without a picture of anybody."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray

from training.conditions import condition_table
from training.figures import Figures, Sets, rounded
from training.formats.base import write_file
from training.metrics import reliability
from training.published import published_table
from training.rejection import rejection_table

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend without a screen must be chosen first)

EXPLAINED = (
    "In brackets: the 95 % interval of macro-F1 (bootstrap), accuracy and recall (Wilson). By the validation",
    "scenes a run chooses its epoch, temperature and threshold for background: so they flatter its model.",
)
PUBLISHED_EXPLAINED = (
    "Both networks in one runtime, default thresholds; a labelled face counts where a box overlaps it (IoU)",
    "from 0.4 on. Of what has nobody in it, patterns, pictures and clips, each picture or frame counts once.",
)
SCENES_EXPLAINED = (
    "Faces are found and told as by the node with its default thresholds; boxes match from an overlap (IoU)",
    "of 0.5 on. Background faces that nobody labelled count as told wrongly: precision and AP are lower",
    "bounds. AP@50 is of all faces found from a face score of 0.1 on, ranked by that times the score "
    "and the probability of a face.",
)


@dataclass(frozen=True)
class Report:
    """All that a report tells of a model, by titles.

    Figures on the faces of each set and group; in bad conditions; what is taken for background; who is
    published, and the whole pipeline on scenes.
    """

    model: str
    sets: Sets
    conditions: dict[str, dict[str, Figures]]
    rejection: dict[str, Figures]
    published: dict[str, Figures]
    scenes: dict[str, Figures]


def write_report(folder: Path, report: Report, classes: tuple[str, ...]) -> None:
    """Write report.json and report.md."""
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "report.json", (json.dumps(rounded(vars(report)), indent=1) + "\n").encode())
    lines = [f"# {report.model}", "", *EXPLAINED, ""]
    for name, groups in report.sets.items():
        lines += [f"## {name}", "", *_table(groups, classes), "", *_confusion(groups["all"], classes), ""]
    for name, figures in report.conditions.items():
        lines += [f"## {name}", "", *condition_table(figures), ""]
    for name, figures in report.rejection.items():
        lines += [f"## {name}", "", *rejection_table(figures), ""]
    lines += ["## Who is published", "", *PUBLISHED_EXPLAINED, "", *published_table(report.published), ""]
    for name, groups in report.scenes.items():
        lines += [f"## {name}", "", *SCENES_EXPLAINED, "", *_scenes_table(groups), ""]
    write_file(folder / "report.md", "\n".join(lines).encode())


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
        ranged = [f"{group[name]:.3f} {_range(group[name + '_95'])}" for name in ("macro_f1", "accuracy")]
        cells = [str(group["faces"]), *ranged, f"{group['calibration_error']:.3f}"]
        cells += [_class_cell(group["classes"].get(label)) for label in classes]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _scenes_table(groups: dict[str, Figures]) -> list[str]:
    head = (
        "labelled | found | told | told rightly | told where nothing is labelled | precision | recall | AP@50"
    )
    lines = [f"| | | {head} |", "| --- |" + " --- |" * 9]
    for group, figures in groups.items():
        for name, row in figures["classes"].items():
            counts = [str(row[key]) for key in ("faces", "found", "told", "right", "told_unlabelled")]
            shares = [_share(row[key]) for key in ("precision", "recall", "average_precision")]
            lines.append(f"| {group} | {name} | " + " | ".join([*counts, *shares]) + " |")
        lines.append(f"| {group} | mAP@50 | {figures['faces']} | | | | | | | {figures['map50']:.3f} |")
    return lines


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _class_cell(figures: Figures | None) -> str:
    if figures is None:
        return "–"
    recall = f"{figures['recall']:.3f} {_range(figures['recall_95'])}"
    return f"{figures['precision']:.3f} / {recall} / {figures['f1']:.3f}"


def _range(limits: list[float]) -> str:
    return "({:.2f}–{:.2f})".format(*limits)


def _confusion(group: Figures, classes: tuple[str, ...]) -> list[str]:
    lines = [
        f"| all faces: true ↓ predicted → | {' | '.join(classes)} |",
        "| --- |" + " --- |" * len(classes),
    ]
    rows = zip(classes, group["confusion"], strict=True)
    return lines + [f"| {name} | " + " | ".join(map(str, row)) + " |" for name, row in rows]
