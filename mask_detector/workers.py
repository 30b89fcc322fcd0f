"""Keep the worker threads of a network off the processor core of the thread that waits for them.

Between two images of a camera a network is idle. When its workers are woken then, Linux often puts them on
the core of who wakes them, where they wait for milliseconds for the very thread that waits for them.
"""

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path

_THREADS = Path("/proc/self/task")
_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None) if _LINUX else None


def threads_now() -> set[int]:
    """Return the threads of this process as the kernel numbers them; none elsewhere than on Linux."""
    return {int(thread.name) for thread in _THREADS.iterdir()} if _LINUX else set()


class Workers:
    """Threads that a network has started, to compute its parts side by side."""

    def __init__(self, threads: Iterable[int]) -> None:
        self.threads = tuple(threads)
        self._core = -1  # that they are kept off

    def keep_off_this_core(self) -> None:
        """Let them run on any core that the calling thread may use but the one where it is."""
        core = _libc.sched_getcpu() if self.threads and _libc else self._core
        if core == self._core:
            return
        others = os.sched_getaffinity(0) - {core}
        try:
            for thread in threads_now().intersection(self.threads) if others else ():
                os.sched_setaffinity(thread, others)
        except OSError:  # not allowed here: they run where they are put
            self.threads = ()
        self._core = core
