"""The record of a collection: one line of JSON for each address that was asked, written as it happens.

A picture is stored before its line, and named by its contents, so that a kill at any moment costs at most
one download: the next run asks only for what has no final line. A picture that was kept and is no longer
here was thrown out by its user, who does not want it again.
"""

import json
import os
import threading
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mask_detector.frame_sources.pictures import read_picture
from training.errors import TrainingError
from training.formats.base import write_file
from training.likeness import COPY, Hashes, signs
from training.sources import read_sources, write_sources

RECORD = "collected.jsonl"
KEPT, REFUSED, FAILED = "kept", "refused", "failed"  # failed ones are asked again by the next run
Line = dict[str, Any]


class Collection:
    """A folder of collected pictures; its methods may be called from several threads."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[Line] = []
        self._folder = folder
        self._lock = threading.Lock()
        self._hashes: list[tuple[Hashes, str]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._resume(folder / RECORD)
        except OSError as error:
            raise TrainingError(f"cannot write in {folder}: {error.strerror}") from error

    def is_done(self, url: str) -> bool:
        """Tell whether an address needs no further asking."""
        return url in self._done

    def kept(self) -> int:
        """Return how many pictures are here, from now or earlier runs; those thrown out are not."""
        return len({line["file"] for line in self.lines if line["status"] == KEPT and self._is_here(line)})

    def keep(self, url: str, content: bytes, suffix: str, hashes: Hashes, details: Line) -> None:
        """Store a picture that is a good one, unless it is a copy of one that is here."""
        digest = sha256(content).hexdigest()
        name = f"{digest[:16]}{suffix}"
        with self._lock:
            if digest in self._thrown_out:
                self._write(url, REFUSED, {"reason": "thrown out before", "sha256": digest} | details)
                return
            if twin := self._twin(hashes, name):
                if twin != name:  # stored by a run that was killed before it could tell
                    (self._folder / name).unlink(missing_ok=True)
                self._write(url, REFUSED, {"reason": f"a copy of {twin}", "sha256": digest} | details)
                return
            write_file(self._folder / name, content)
            self._hashes.append((hashes, name))
            self._write(url, KEPT, {"file": name, "sha256": digest, "bytes": len(content)} | details)

    def refuse(self, url: str, reason: str, details: Line, again: bool = False) -> None:
        """Note why an address gave no picture, and whether to ask again in the next run."""
        with self._lock:
            self._write(url, FAILED if again else REFUSED, {"reason": reason} | details)

    def list_sources(self) -> None:
        """Write `sources.csv`, by which `training.dataset` keeps the pictures of a site together.

        What a user has written there stays: columns of theirs, and a source that they changed.
        """
        columns = ["file", "source", "url", "time", "sha256", "width", "height", "query"]
        theirs = {row["file"]: row for row in read_sources(self._folder)}
        rows = [
            {key: str(line.get(key, "")) for key in columns}
            | {"source": urlsplit(line["url"]).hostname or ""}
            | theirs.get(line["file"], {})
            for line in {line.get("file"): line for line in self.lines}.values()
            if line["status"] == KEPT and self._is_here(line)
        ]
        more = dict.fromkeys(name for row in theirs.values() for name in row if name not in columns)
        write_sources(rows, [*columns, *more], self._folder)

    def _resume(self, path: Path) -> None:
        """Read what earlier runs wrote; a line that a kill cut short is dropped."""
        lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
        whole = lines[:-1] if lines and not lines[-1].endswith(b"\n") else lines
        if whole != lines:
            write_file(path, b"".join(whole))
        try:
            self.lines = [json.loads(line) for line in whole]
            self._done = {line["url"] for line in self.lines if line["status"] != FAILED}
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"{path} is damaged ({error!r}): move it away to start afresh") from error
        self._thrown_out = {
            line["sha256"] for line in self.lines if line["status"] == KEPT and not self._is_here(line)
        }
        self._hashes = [
            (signs(read_picture(str(self._folder / line["file"]))), line["file"])
            for line in self.lines
            if line["status"] == KEPT and self._is_here(line)
        ]

    def _is_here(self, line: Line) -> bool:
        return line["status"] != KEPT or (self._folder / line["file"]).is_file()

    def _twin(self, hashes: Hashes, name: str) -> str:
        """Return the name of a picture that looks the same, '' if there is none; it may be the same file."""
        for known, file in self._hashes:
            if file == name or (128 - (hashes @ known[0]).max()) / 2 <= COPY:
                return file
        return ""

    def _write(self, url: str, status: str, details: Line) -> None:
        time = datetime.now(timezone.utc).isoformat(timespec="seconds")
        line = {"url": url, "time": time, "status": status} | details
        try:
            with open(self._folder / RECORD, "a") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise TrainingError(f"cannot write {self._folder / RECORD}: {error.strerror}") from error
        self.lines.append(line)
        if status != FAILED:
            self._done.add(url)
