"""What was measured, in words, tables and one picture; ratios first."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contestants import CLASSIC, OURS
from benchmarks.stages import END_TO_END, TRANSPORT
from benchmarks.traced import DETECTOR_STAGES, STAGES

BASE = "640x480, 1"
_MODELS = ("detect", "classify")

Results = dict[str, Any]


def line(results: Results) -> str:
    """Return the three figures of the 640×480, one-face case."""
    ours = results["threads_2"][OURS]
    times, _, _ = ratio(results["threads_2"], CLASSIC, BASE)
    start = np.median(ours["start_s"])
    return f"speed: {times:.1f} x classic, first detection {start:.1f} s, {ours['memory_mb']:.0f} MB"


def markdown(results: Results) -> str:
    """Return all tables."""
    machine = ", ".join(f"{key} {value}" for key, value in results["machine"].items())
    quick = " A quick run: figures are rough." if results["quick"] else ""
    parts = [
        "# What `make bench` measured",
        f"{machine}; {results['seconds']} s.{quick} Times are milliseconds from publishing an image to "
        "having its detections, over real DDS. Medians; in brackets the least and the largest of the turns.",
        "## Ratios, 640x480, one face, two threads",
        _ratios(results),
        "## Everybody, 640x480, one face",
        _everybody(results),
        "## By picture size, one face",
        _sizes(results),
        "## By number of faces, 640x480",
        _crowds(results),
        "## Where the time of a frame goes in the node",
        _stages(results["stages"]),
        *filter(None, [_detector_stages(results["stages"])]),
    ]
    return "\n\n".join(parts) + "\n"


def ratio(group: Results, name: str, case: str) -> tuple[float, float, float]:
    """Return median, least and largest of the ratios to ours, turn by turn."""
    pairs = zip(
        group[name]["cases"][case]["medians_ms"], group[OURS]["cases"][case]["medians_ms"], strict=True
    )
    ratios = [theirs / ours for theirs, ours in pairs]
    return float(np.median(ratios)), min(ratios), max(ratios)


def further_face(entry: Results) -> float:
    """Return milliseconds for each further face that is found, by a straight line through all counts.

    Each count stands with its quietest turn: a line through noise has any slope.
    """
    cases = [case for key, case in entry["cases"].items() if key.startswith("640x480")]
    found, times = [case["found"] for case in cases], [min(case["medians_ms"]) for case in cases]
    return float(np.polyfit(found, times, 1)[0])


def _ratios(results: Results) -> str:
    group, rows = results["threads_2"], []
    own = further_face(group[OURS])
    for name, entry in group.items():
        if name != OURS:
            median, least, largest = ratio(group, name, BASE)
            faces = further_face(entry) / own
            rows.append([entry["title"], f"{median:.1f} ({least:.1f} to {largest:.1f})", f"{faces:.1f}"])
    return table(["this project is faster than", "end to end, times", "each further face, times"], rows)


def _everybody(results: Results) -> str:
    rows = []
    for threads in (2, 1):
        for entry in results[f"threads_{threads}"].values():
            case, stream = entry["cases"][BASE], entry["stream"]
            rows.append([
                entry["title"], str(threads), _spread(case), f"{case['p99_ms']:.1f}",
                f"{entry['throughput_hz']:.0f}", f"{np.median(entry['start_s']):.2f}",
                f"{entry['memory_mb']:.0f} ({entry['most_memory_mb']:.0f})", f"{100 * stream['cores']:.0f} %",
                f"{100 * stream['answered']:.0f} %",
            ])  # fmt: skip
    head = ["", "threads", "end to end", "99th percentile", "frames/s", "first detection, s",
            "memory, MB (in the end)", "one core at 30 fps", "answered at 30 fps"]  # fmt: skip
    return table(head, rows)


def _sizes(results: Results) -> str:
    return _by_case(results, lambda width, faces: faces == 1)


def _crowds(results: Results) -> str:
    table = _by_case(results, lambda width, faces: width == 640)
    slopes = (f"{entry['title']} {further_face(entry):.2f} ms" for entry in results["threads_2"].values())
    return f"{table}\n\nEach further face that is found: {'; '.join(slopes)}."


def _by_case(results: Results, wanted) -> str:
    group = results["threads_2"]
    keys = [key for key in group[OURS]["cases"] if wanted(int(key.split("x")[0]), int(key.split(", ")[1]))]
    keys.sort(key=lambda key: (int(key.split("x")[0]), int(key.split(", ")[1])))
    rows = [[entry["title"], *(_cell(entry["cases"][key]) for key in keys)] for entry in group.values()]
    return table(["", *keys], rows)


def _stages(stages: Results) -> str:
    rows = []
    for case, spent in stages.items():
        models, whole = sum(spent[stage] for stage in _MODELS), spent[END_TO_END]
        values = (*(spent[stage] for stage in STAGES), whole, models, whole - models)
        floor = f"{spent[TRANSPORT]:.2f}" if TRANSPORT in spent else ""
        rows.append([case, *(f"{value:.2f}" for value in values), floor])
    return table(["frame", *STAGES, END_TO_END, "the two models", "all else", TRANSPORT], rows)


def _detector_stages(stages: Results) -> str:
    """Return the parts of `detect`; results of before they were measured have none."""
    cases = {case: spent for case, spent in stages.items() if DETECTOR_STAGES[0] in spent}
    rows = []
    for case, spent in cases.items():
        other = spent["detect"] - sum(spent[stage] for stage in DETECTOR_STAGES)
        rows.append([case, *(f"{spent[stage]:.2f}" for stage in DETECTOR_STAGES), f"{other:.2f}"])
    return table(["inside *detect*", *DETECTOR_STAGES, "all else"], rows) if rows else ""


def _spread(case: Results) -> str:
    medians = case["medians_ms"]
    return f"{np.median(medians):.1f} ({min(medians):.1f} to {max(medians):.1f})"


def _cell(case: Results) -> str:
    return f"{_spread(case)}, {case['found']:.0f} found"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def plot(results: Results, path: Path) -> None:
    """Draw end-to-end time by faces and by picture size, and the stages of our node."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (crowds, sizes, stages) = pyplot.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    for entry in results["threads_2"].values():
        crowd = [(case["found"], case["median_ms"]) for key, case in entry["cases"].items() if "640x" in key]
        crowds.loglog(*zip(*sorted(crowd), strict=True), marker="o", label=entry["title"])
        size = [
            (int(key.split("x")[0]), case["median_ms"])
            for key, case in entry["cases"].items()
            if key.endswith(", 1")
        ]
        sizes.semilogy(*zip(*sorted(size), strict=True), marker="o")
    crowds.set(title="by faces found, 640x480", xlabel="faces", ylabel="ms, publish to detections")
    sizes.set(title="by picture width, one face", xlabel="pixels", ylabel="ms, publish to detections")
    for axes in (crowds, sizes):
        axes.grid(which="both", alpha=0.3)
        axes.yaxis.set_major_formatter("{x:g}")
    crowds.xaxis.set_major_formatter("{x:g}")
    left = np.zeros(len(results["stages"]))
    for stage in STAGES:
        widths = [spent[stage] for spent in results["stages"].values()]
        stages.barh(list(results["stages"]), widths, left=left, label=stage)
        left += widths
    stages.set(title="where the time of a frame goes in the node", xlabel="ms")
    stages.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
