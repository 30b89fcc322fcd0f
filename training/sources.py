"""`sources.csv` beside pictures tells where each came from, so that splits can keep sources apart.

`training.collect` and exports write it; for your own pictures a spreadsheet does. Columns: `file` (relative
to it) and any of `source` and `person`; others are left alone.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from itertools import zip_longest
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
    for row in read_sources(folder):
        path = folder / (row["file"] or "").replace("\\", "/").replace("\0", "")
        known[path.resolve()] = row
        if not path.is_file():
            refused.add(f"row of {NAME} that names no file", str(row["file"]))
    return [_told(picture, known.get(picture.path.resolve(), {}), source) for picture in pictures]


def write_sources(rows: Iterable[dict[str, str]], columns: list[str], folder: Path) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_file(folder / NAME, text.getvalue().encode())


def _told(picture: Picture, row: dict[str, str], source: str | None) -> Picture:
    source = source or row.get("source") or picture.source
    return replace(picture, source=source, person=row.get("person") or picture.person)


def read_sources(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a folder's list, by the names of its columns in small letters; [] without one."""
    path = folder / NAME
    if not path.is_file():
        return []
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            names, *rows = list(csv.reader(file)) or [["file"]]
    except (OSError, ValueError, csv.Error) as error:
        raise TrainingError(f"cannot read {path}: {error}") from error
    columns = [name.strip().lower() for name in names]
    if "file" not in columns:
        raise TrainingError(f"{path} has no column 'file' but {', '.join(columns)}: add it")
    return [dict(zip_longest(columns, row[: len(columns)], fillvalue="")) for row in rows if row]
