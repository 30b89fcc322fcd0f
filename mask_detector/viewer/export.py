"""The history as CSV, and as Parquet where pyarrow is installed."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timezone

from mask_detector.errors import MaskDetectorError
from mask_detector.viewer.history import BUCKET, WATCHED, History

TABLES = {  # columns
    "presence": ("time", "camera", "class_id", "person_seconds"),
    "changes": ("time", "camera", "class_id"),
}
FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_CAMERA_ITSELF = "watched"  # in place of a class: for how long the camera was watched


def export(history: History, table: str, form: str, begin: float, end: float) -> bytes:
    """Return a table of a period; times are UTC.

    Args:
        table: presence: person-seconds of each class in every BUCKET seconds; changes: states that began.
        form: one of FORMATS.

    Raises:
        MaskDetectorError: Parquet is wanted and pyarrow is not installed.
    """
    rows = _presence(history, begin, end) if table == "presence" else _changes(history, begin, end)
    return (_csv if form == "csv" else _parquet)(TABLES[table], rows)


def _presence(history: History, begin: float, end: float) -> list[tuple]:
    rows = history.presence(begin, end, BUCKET)
    return [(_utc(at), camera, _CAMERA_ITSELF if kind == WATCHED else kind, round(seconds, 3))
            for at, camera, kind, seconds in rows]  # fmt: skip


def _changes(history: History, begin: float, end: float) -> list[tuple]:
    return [(_utc(at), camera, class_id) for at, camera, class_id in history.changes(begin, end)]


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, timezone.utc)


def _csv(columns: Sequence[str], rows: Sequence[tuple]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([row[0].isoformat(timespec="milliseconds"), *row[1:]] for row in rows)
    return text.getvalue().encode()


def _parquet(columns: Sequence[str], rows: Sequence[tuple]) -> bytes:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MaskDetectorError("Parquet needs pyarrow: pip install pyarrow, or take CSV") from None
    kinds = (pyarrow.timestamp("ms", "UTC"), *[pyarrow.string()] * 2, pyarrow.float64())
    schema = pyarrow.schema(list(zip(columns, kinds, strict=False)))
    data = [dict(zip(columns, row, strict=True)) for row in rows]
    output = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(data, schema), output)
    return output.getvalue()
