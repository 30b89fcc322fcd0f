"""What was seen, in an embedded database: how long people wore their mask how, and when that changed.

Counts alone: no picture, no id. A person present for a second counts a second ("person-seconds"), so
that shares do not depend on the frame rate. The journal (WAL) survives kills: lost is only what was not
yet written, at most a second of counts and a tenth of a second of changes.
"""

import fcntl
import sqlite3
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from mask_detector.errors import MaskDetectorError

BUCKET = 5  # seconds of one row
WATCHED = ""
"""Stands for a class in rows that tell how long a camera was watched."""
LONGEST = 2.0
"""Seconds that a frame stands for at the most; then nobody knows who is there, until the next one."""

_APPLICATION, _VERSION = 0x4D61736B, 1  # "Mask"
_TABLES = """
CREATE TABLE IF NOT EXISTS presence (
    start INTEGER, camera TEXT, class_id TEXT, seconds REAL, PRIMARY KEY (start, camera, class_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (time REAL, camera TEXT, class_id TEXT);
CREATE INDEX IF NOT EXISTS changes_by_time ON changes (time);
"""
_ADD = """INSERT INTO presence VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET seconds = seconds + excluded.seconds"""

Key = tuple[int, str, str]  # start, camera, class
Row = tuple[int, str, str, float]  # start, camera, class, seconds


@dataclass
class Batch:
    """What was seen since the last write."""

    seconds: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    changes: list[tuple[float, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """How much is kept; every default of it stands here."""

    days: float = 30.0
    megabytes: float = 200.0


class History:
    """The database; `add_…` only collects, `write` may be called in another thread.

    Args:
        path: the file, made if it does not exist; None to remember only while the process lives.
        limits: how much is kept.

    Raises:
        MaskDetectorError: the file cannot be opened, is something else, or another viewer writes it.
    """

    def __init__(self, path: Path | None = None, limits: Limits = Limits()) -> None:
        self.path = path
        self.limits = limits
        self._batch = Batch()
        self._lock = Lock()
        self._claim = _claimed(path) if path else None
        try:
            self._database = sqlite3.connect(
                path or ":memory:", isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except sqlite3.Error as error:
            raise MaskDetectorError(
                f"history '{path}' cannot be used ({error}): name another file"
            ) from error
        self.rotate()

    def _prepare(self) -> None:
        run = self._database.execute
        tables = run("SELECT count(*) FROM sqlite_master").fetchone()[0]
        kind = (run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0])
        if tables and kind != (_APPLICATION, _VERSION):
            raise sqlite3.DatabaseError("it is another program's, or another version's")
        for pragma in ("auto_vacuum = INCREMENTAL", "journal_mode = WAL", "synchronous = NORMAL"):
            run(f"PRAGMA {pragma}")
        run(f"PRAGMA application_id = {_APPLICATION}")
        run(f"PRAGMA user_version = {_VERSION}")
        self._database.executescript(_TABLES)

    def add_people(self, camera: str, counts: dict[str, int], seconds: float) -> None:
        """Count people that were there for so long until now, by class."""
        if not 0 < seconds <= LONGEST:
            return
        start = int(time.time()) // BUCKET * BUCKET
        self._batch.seconds[start, camera, WATCHED] += seconds
        for class_id, count in counts.items():
            if count:
                self._batch.seconds[start, camera, class_id] += count * seconds

    def add_change(self, camera: str, class_id: str, at: float) -> None:
        """Note that somebody's state began or changed; who has left is no change."""
        if class_id:
            self._batch.changes.append((at, camera, class_id))

    @property
    def urgent(self) -> bool:
        """Whether something waits that a kill may not lose."""
        return bool(self._batch.changes)

    def take(self) -> Batch:
        """Return what has been collected, and begin to collect anew."""
        batch, self._batch = self._batch, Batch()
        return batch

    def put_back(self, batch: Batch) -> None:
        """Collect again what could not be written."""
        for key, seconds in batch.seconds.items():
            self._batch.seconds[key] += seconds
        self._batch.changes[:0] = batch.changes

    def write(self, batch: Batch) -> None:
        """Write what `take` returned, all of it or nothing; raise sqlite3.Error if the disk is full."""
        with self._lock, self._database:
            self._database.execute("BEGIN")
            self._database.executemany(_ADD, [(*key, seconds) for key, seconds in batch.seconds.items()])
            self._database.executemany("INSERT INTO changes VALUES (?, ?, ?)", batch.changes)

    def rotate(self) -> None:
        """Drop what is too old, and the oldest tenth as long as the file is too large."""
        with self._lock:
            self._drop_before(time.time() - self.limits.days * 86400)
            while self._bytes() > self.limits.megabytes * 1e6:
                first, last = self._database.execute("SELECT min(start), max(start) FROM presence").fetchone()
                if first is None or first == last:
                    break
                self._drop_before(first + (last - first) / 10 + 1)

    def _drop_before(self, end: float) -> None:
        self._database.execute("DELETE FROM presence WHERE start < ?", (end,))
        self._database.execute("DELETE FROM changes WHERE time < ?", (end,))
        self._database.executescript("PRAGMA incremental_vacuum")  # execute would free a single page

    def _bytes(self) -> int:
        pages, free, size = (
            self._database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def presence(self, begin: float, end: float, step: int = BUCKET, ahead: int = 0) -> list[Row]:
        """Return (start, camera, class or WATCHED, seconds) of a period, summed up over `step` seconds.

        The steps begin at midnight of a clock that is so many seconds ahead of UTC.
        """
        query = """SELECT (start + ?) / ? * ? - ? AS at, camera, class_id, sum(seconds) FROM presence
            WHERE start >= ? AND start < ? GROUP BY at, camera, class_id ORDER BY at, camera, class_id"""
        return self._all(query, (ahead, step, step, ahead, begin, end))

    def changes(self, begin: float, end: float) -> list[tuple[float, str, str]]:
        """Return (time, camera, class) of the changes in a period."""
        query = "SELECT * FROM changes WHERE time >= ? AND time < ? ORDER BY time"
        return self._all(query, (begin, end))

    def began(self) -> float | None:
        """Return when the oldest row begins, None where there is none."""
        return self._all("SELECT min(start) FROM presence", ())[0][0]

    def _all(self, query: str, values: Sequence) -> list[tuple]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def close(self) -> None:
        """Write what is left and close.

        Raises:
            MaskDetectorError: the disk is full; what was written before stays.
        """
        try:
            self.write(self.take())
        except sqlite3.Error as error:
            raise MaskDetectorError(f"the last seconds of the history are not written: {error}") from error
        finally:
            with self._lock:
                self._database.close()
            if self._claim:
                self._claim.close()


def _claimed(path: Path) -> BinaryIO:
    """Return the file, locked against other viewers until it is closed; other programs may read it."""
    try:
        file = path.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise MaskDetectorError(
            f"history '{path}' is in use by another viewer, and both would count the same people: "
            "name another file"
        ) from None
    except OSError as error:
        raise MaskDetectorError(
            f"history '{path}' cannot be used ({error.strerror}): name another file"
        ) from error
    return file


def averages(rows: Sequence[Row], camera: str = "") -> dict[int, dict[str, float]]:
    """Return how many people of each class were there on average, by start; of one camera, or of all."""
    watched = {(start, name): seconds for start, name, class_id, seconds in rows if class_id == WATCHED}
    found: dict[int, dict[str, float]] = {}
    for start, name, class_id, seconds in rows:
        if camera in ("", name):
            people = found.setdefault(start, defaultdict(float))
            if class_id != WATCHED:
                people[class_id] += seconds / watched[start, name]
    return found
