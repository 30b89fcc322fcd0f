"""Write a comparison of face detectors as Markdown, JSON and a plot, without a picture of anybody."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

from mask_detector.face_detectors import FaceSearch
from mask_detector.runtimes import quick_at_bytes
from training.face_detector.average_precision import OVERLAPS
from training.face_detector.compare import (
    REFERENCE,
    SIZES,
    Labelled,
    Result,
)
from training.face_detector.matching import LEAST_OVERLAP, SMALLEST_JUDGED, Matches
from training.formats.base import write_file

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend without a screen must be chosen first)

DEFAULT = FaceSearch().score_threshold
_CLASSES = ("mask", "improper_mask", "no_mask")
Groups = dict[str, NDArray[np.bool_]]
Threshold = Callable[[Result], float]


def targets(results: Sequence[Result], faces: Labelled) -> tuple[list[str], bool]:
    """Return the table of targets as Markdown, and whether all hold, of the first two results.

    They are of one detector, in int8 and in float32; the node takes the one that is faster here.
    """
    by_name = {result.name: result for result in results}
    int8, float32 = (result.name for result in results[:2])
    ours, yunet = by_name[int8 if quick_at_bytes() else float32], by_name[REFERENCE]
    threshold = even(results)
    found = {name: recalls(by_name[name], threshold(by_name[name]), class_groups(faces)) for name in by_name}
    mine, theirs = found[ours.name], found[REFERENCE]
    ratio = float(np.median(ours.seconds) / np.median(yunet.seconds))
    lost = max((found[float32][name] - found[int8][name] for name in mine), default=0.0)
    asked = {
        "mask": ("YuNet + 0.05, or 0.95", lambda theirs: min(theirs + 0.05, 0.95)),
        "improper_mask": ("YuNet, and 0.95", lambda theirs: max(theirs, 0.95)),
        "no_mask": ("YuNet − 0.01", lambda theirs: theirs - 0.01),
    }
    rows = [
        (f"recall {name}", told, mine[name], theirs[name], mine[name] >= least(theirs[name]))
        for name, (told, least) in asked.items()
        if name in mine
    ]
    rows += [
        ("time of a 640×480 frame over YuNet's", "0.5", ratio, 1.0, ratio <= 0.5),
        ("recall lost by int8", "0.01", lost, None, lost <= 0.01),
    ]
    lines = [f"| target | asked for | {ours.name} | YuNet | holds |", "| --- | --- | --- | --- | --- |"]
    for what, asked, here, there, held in rows:
        other = "" if there is None else f"{there:.3f}"
        lines.append(f"| {what} | {asked} | {here:.3f} | {other} | {'yes' if held else 'NO'} |")
    return lines, all(row[-1] for row in rows)


def even(results: Sequence[Result]) -> Threshold:
    """Return the thresholds at which no detector makes more unmatched finds than YuNet at its default."""
    yunet = next(result for result in results if result.name == REFERENCE)
    allowed = yunet.matches.unmatched(DEFAULT)
    return lambda result: DEFAULT if result is yunet else result.matches.threshold_for(allowed)


def recalls(result: Result, threshold: float, groups: Groups) -> dict[str, float]:
    return {
        name: float((result.matches.face_scores[group] >= threshold).mean()) for name, group in groups.items()
    }


def class_groups(faces: Labelled) -> Groups:
    return _present({name: faces.judged & (faces.labels == name) for name in _CLASSES})


def size_groups(faces: Labelled) -> Groups:
    groups = {}
    for low, high in zip(SIZES[:-1], SIZES[1:], strict=True):
        inside = (faces.sides >= low) & (faces.sides < high)
        title = f"{low} to {high - 1} px" if high < SIZES[-1] else f"from {low} px"
        groups |= {f"{name} {title}": inside & (faces.labels == name) for name in _CLASSES}
    return _present(groups)


def source_groups(faces: Labelled) -> Groups:
    groups = {}
    for source in np.unique(faces.sources):
        of_source = faces.judged & (faces.sources == source)
        groups |= {f"{source} {name}": of_source & (faces.labels == name) for name in _CLASSES}
    return _present(groups)


def _present(groups: Groups) -> Groups:
    return {name: group for name, group in groups.items() if group.any()}


def write_report(folder: Path, results: Sequence[Result], faces: Labelled, sets: Sequence[str]) -> None:
    """Write report.md, report.json and precision_recall.png into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    threshold = even(results)
    counted = (
        f"{int(faces.judged.sum())} faces from {SMALLEST_JUDGED} px on {results[0].matches.pictures} pictures"
    )
    lines = [
        "# Face detectors",
        "",
        f"{', '.join(sets)}: {counted}; found is what overlaps a label by {LEAST_OVERLAP} (IoU) and more.",
        "Not every face in the background has a label: unmatched finds are no proof of a mistake.",
        "",
        "## At as many unmatched finds as YuNet's",
        "",
        *_table(results, threshold, class_groups(faces)),
        "",
        f"## At the default threshold {DEFAULT}",
        "",
        *_table(results, lambda result: DEFAULT, class_groups(faces)),
        "",
        "## Where nobody is",
        "",
        f"Pictures in which something is found, at the default threshold {DEFAULT}; in brackets, at as many "
        "unmatched finds as YuNet's.",
        "",
        *_nobody(results, threshold),
        "",
        "## By size, at as many unmatched finds",
        "",
        *_groups(results, threshold, size_groups(faces)),
        "",
        "## By source, at as many unmatched finds",
        "",
        *_groups(results, threshold, source_groups(faces)),
        "",
        "## Targets",
        "",
        *targets(results, faces)[0],
        "",
    ]
    write_file(folder / "report.md", "\n".join(lines).encode())
    figures = {result.name: _figures(result, threshold(result), faces) for result in results}
    content = json.dumps({"sets": list(sets), "detectors": figures}, indent=1) + "\n"
    write_file(folder / "report.json", content.encode())
    plot_curves(folder / "precision_recall.png", results, faces)


def _table(results: Sequence[Result], threshold: Threshold, groups: Groups) -> list[str]:
    overlaps = [f"AP at {overlap}" for overlap in OVERLAPS]
    head = [
        "score from",
        *groups,
        "unmatched a picture",
        *overlaps,
        "ms a frame, least / median",
    ]
    lines = ["| | " + " | ".join(head) + " |", "| --- |" + " --- |" * len(head)]
    for result in results:
        least = threshold(result)
        found = recalls(result, least, groups).values()
        cells = [
            f"{least:.2f}",
            *[f"{value:.3f}" for value in found],
            f"{result.matches.unmatched(least):.2f}",
        ]
        cells += [f"{ap:.3f}" for ap in result.precisions]
        cells.append(f"{result.seconds.min() * 1e3:.1f} / {np.median(result.seconds) * 1e3:.1f}")
        lines.append(f"| {result.name} | " + " | ".join(cells) + " |")
    return lines


def _nobody(results: Sequence[Result], threshold: Threshold) -> list[str]:
    sets = results[0].nobody
    lines = ["| pictures | number | " + " | ".join(result.name for result in results) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(results))
    for name, pictures in sets.items():
        counts = [
            f"{found_in(result.nobody[name], DEFAULT)} ({found_in(result.nobody[name], threshold(result))})"
            for result in results
        ]
        lines.append(f"| {name} | {len(pictures)} | {' | '.join(counts)} |")
    return lines


def found_in(scores: Sequence[NDArray], threshold: float) -> int:
    """Return in how many pictures something is found, of the finds' scores in each."""
    return sum(bool((found >= threshold).any()) for found in scores)


def _groups(results: Sequence[Result], threshold: Threshold, groups: Groups) -> list[str]:
    lines = ["| faces | number | " + " | ".join(result.name for result in results) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(results))
    found = [recalls(result, threshold(result), groups) for result in results]
    for name, group in groups.items():
        values = " | ".join(f"{each[name]:.3f}" for each in found)
        lines.append(f"| {name} | {int(group.sum())} | {values} |")
    return lines


def _figures(result: Result, threshold: float, faces: Labelled) -> dict:
    return {
        "threshold": round(threshold, 4),
        "unmatched": round(result.matches.unmatched(threshold), 4),
        "recall": {name: round(v, 4) for name, v in recalls(result, threshold, class_groups(faces)).items()},
        "recall_at_default": {
            name: round(v, 4) for name, v in recalls(result, DEFAULT, class_groups(faces)).items()
        },
        "average_precision": {
            str(key): round(v, 4) for key, v in zip(OVERLAPS, result.precisions, strict=True)
        },
        "pictures_of_nobody_with_a_find_at_default": {
            name: [found_in(scores, DEFAULT), len(scores)] for name, scores in result.nobody.items()
        },
        "ms": round(float(np.median(result.seconds)) * 1e3, 2),
    }


def plot_curves(path: Path, results: Sequence[Result], faces: Labelled) -> None:
    """Draw precision over recall of the faces that are large enough to judge."""
    figure, axes = pyplot.subplots(figsize=(7, 5))
    for result in results:
        recall, precision = curve(result.matches, int(faces.judged.sum()))
        axes.plot(recall, precision, label=result.name)
    axes.set(xlabel="recall", ylabel="precision (a lower bound)", xlim=(0, 1), ylim=(0.4, 1.01))
    axes.legend(loc="lower left")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=90, bbox_inches="tight")
    pyplot.close(figure)


def curve(matches: Matches, faces: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return recall and precision as the score threshold falls."""
    right = matches.right[np.argsort(-matches.scores, kind="stable")]
    return right.cumsum() / max(faces, 1), right.cumsum() / np.arange(1, len(right) + 1)
