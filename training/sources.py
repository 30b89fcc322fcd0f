"""`sources.csv` beside pictures tells where each came from, so that splits can keep sources apart.

`training.collect` and exports write it; for your own pictures a spreadsheet does. Columns: `file` (relative
to it) and any of `source` and `person`; others are left alone.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from training.data import Refused
from training.errors import TrainingError
from training.formats.base import Picture, write_file

NAME = "sources.csv"


def with_sources(
    pictures: Iterable[Picture], folder: Path, refused: Refused, source: str | None = None
) -> list[Picture]:
    """Return the pictures with what the list in the folder says of them, and a source given for all.

    A row that names no file is refused.
    """
    known = {}
    for row in _rows(folder / NAME) if (folder / NAME).is_file() else []:
        path = folder / (row["file"] or "").replace("\\", "/")
        known[path.resolve()] = row
        if not path.is_file():
            refused.add(f"row of {NAME} that names no file", str(row["file"]))
    return [_told(picture, known.get(picture.path.resolve(), {}), source) for picture in pictures]


def write_sources(rows: Iterable[dict[str, str]], columns: list[str], folder: Path) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_file(folder / NAME, text.getvalue().encode())


def _told(picture: Picture, row: dict[str, str], source: str | None) -> Picture:
    source = source or row.get("source") or picture.source
    return replace(picture, source=source, person=row.get("person") or picture.person)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError) as error:
        raise TrainingError(f"cannot read {path}: {error}") from error
    if rows and "file" not in rows[0]:
        raise TrainingError(f"{path} has no column 'file' but {', '.join(rows[0])}: add it")
    return rows
