"""A node in a process of its own, and what the kernel tells of it: memory, processor time, handles."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mask_detector.transport import transport_environment

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 20.0  # seconds for a node to end


class NodeProcess:
    """A node, started at once; what it says goes to `log`.

    Attributes:
        began: when it was started, by the monotonic clock.
    """

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        environment = {**os.environ, **transport_environment(), "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.log = log
        self.began = time.monotonic()
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments], stdout=output, stderr=subprocess.STDOUT, env=environment
            )

    def __enter__(self) -> "NodeProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def memory(self) -> float:
        """Resident megabytes, shared libraries and shared memory included."""
        return self._status("VmRSS") / 1024

    @property
    def own_memory(self) -> float:
        """Of them those of no file and no shared memory, which nobody but the node itself asks for."""
        return self._status("RssAnon") / 1024

    @property
    def threads(self) -> int:
        return self._status("Threads")

    @property
    def handles(self) -> int:
        """Open file descriptors."""
        return len(list(self._folder.joinpath("fd").iterdir()))

    @property
    def processor_time(self) -> float:
        """Seconds of all threads so far."""
        fields = self._folder.joinpath("stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def stop(self) -> int:
        """End it as Ctrl-C does; return the exit code."""
        if self.alive:
            self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    @property
    def _folder(self) -> Path:
        return Path("/proc", str(self._process.pid))

    def _status(self, name: str) -> int:
        lines = self._folder.joinpath("status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
