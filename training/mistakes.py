"""The worst mistakes, to look at: a sheet of pictures and a list, in the run folder alone.

They show the people of the data, so they go into no report. The names are those that
`corrections.yaml` takes.
"""

import csv
import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from training.cropset import CropSet
from training.formats.base import write_file

COLUMNS, MOST = 8, 48
TILE, CAPTION = 160, 44  # pixels


def save_mistakes(
    run: Path, kind: str, faces: CropSet, scores: NDArray[np.float32], classes: tuple[str, ...]
) -> None:
    """List the faces (N) that `scores` (N, classes) tell wrongly, and draw the worst, worst first."""
    of_label = scores[np.arange(len(faces)), faces.labels]
    order = np.argsort(of_label, kind="stable")
    wrong = order[scores.argmax(1)[order] != faces.labels[order]]
    rows = [
        (
            faces.names[i],
            faces.sources[i],
            classes[faces.labels[i]],
            classes[scores[i].argmax()],
            scores[i].max(),
        )
        for i in wrong
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("name", "source", "label", "told", "score"))
    writer.writerows((*row[:4], f"{row[4]:.4f}") for row in rows)
    write_file(run / f"mistakes_{kind}.csv", text.getvalue().encode())
    tiles = [_tile(faces.crops[i], row) for i, row in zip(wrong[:MOST], rows, strict=False)]
    sheet = run / f"mistakes_{kind}.png"
    if tiles:
        write_file(sheet, cv2.imencode(".png", _sheet(tiles))[1].tobytes())
    else:
        sheet.unlink(missing_ok=True)


def _tile(crop: Image, row: tuple) -> Image:
    """Return a BGR tile with what a face was labelled as, told as, and its name."""
    tile = np.full((TILE + CAPTION, TILE, 3), 255, np.uint8)
    tile[:TILE] = cv2.cvtColor(
        cv2.resize(crop, (TILE, TILE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR
    )
    name, _, label, told, score = row
    for line, words in enumerate((f"is {label}", f"told {told} {score:.2f}", str(name)[-30:])):
        at = (3, TILE + 13 * (line + 1))
        cv2.putText(tile, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.35, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


def _sheet(tiles: list[Image]) -> Image:
    tiles = tiles + [np.full_like(tiles[0], 255)] * (-len(tiles) % min(COLUMNS, len(tiles)))
    columns = min(COLUMNS, len(tiles))
    return np.vstack([np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)])
