"""The README's figures are those of results/results.json: `python -m benchmarks.headline` puts them in."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contestants import CLASSIC, OURS
from benchmarks.report import BASE, further_face, line, ratio, table

README = Path(__file__).resolve().parents[1] / "README.md"
RESULTS = Path(__file__).parent / "results" / "results.json"
_BEGIN, _END = "<!-- what `python -m benchmarks.headline` writes -->\n\n", "\n<!-- until here -->\n"


def headline(results: dict[str, Any]) -> str:
    """Return a table of the 640×480 case with two threads, and what it was measured on."""
    own, classic = (results["threads_2"][name] for name in (OURS, CLASSIC))
    times, _, _ = ratio(results["threads_2"], CLASSIC, BASE)
    faces = [further_face(entry) for entry in (own, classic)]
    latency = [float(np.median(entry["cases"][BASE]["medians_ms"])) for entry in (own, classic)]
    starts = [float(np.median(entry["start_s"])) for entry in (own, classic)]
    memory = [entry["memory_mb"] for entry in (own, classic)]
    rows = [
        [
            "one face, from publishing the image to having its detections, ms",
            *_cells(latency, 1),
            f"{times:.0f}",
        ],
        ["each further face, ms", *_cells(faces, 2), f"{faces[1] / faces[0]:.0f}"],
        ["start to first detections, s", *_cells(starts, 1), f"{starts[1] / starts[0]:.1f}"],
        ["resident memory, MB", *_cells(memory, 0), f"{memory[1] / memory[0]:.1f}"],
    ]
    machine = results["machine"]
    run = "A quick run" if results["quick"] else "Measured"
    parts = f"{machine['cores']} cores, {machine['processor']}, models in {machine['models in']}"
    where = f"{run} on {parts}, Python {machine['Python']}."
    return f"{table(['640×480, two threads', 'this project', 'classic recipe', 'times'], rows)}\n\n{where}\n"


def _cells(values: list[float], digits: int) -> list[str]:
    return [f"{value:.{digits}f}" for value in values]


def told(readme: str) -> str:
    """Return what a README has in that place."""
    return readme.partition(_BEGIN)[2].partition(_END)[0]


def main() -> None:
    """Put the figures into the README."""
    results, readme = json.loads(RESULTS.read_text()), README.read_text()
    README.write_text(readme.replace(_BEGIN + told(readme), _BEGIN + headline(results)))
    print(line(results))


if __name__ == "__main__":
    main()
