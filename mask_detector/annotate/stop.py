"""End a run between two frames when a signal asks for it."""

import signal
from types import FrameType


class Stop:
    """Notes SIGINT and SIGTERM while it is entered; a second one ends the process at once.

    Attributes:
        signal: the number of the signal, 0 as long as none came.
    """

    signal = 0

    def __enter__(self) -> "Stop":
        self._former = {
            number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        signal.signal(number, signal.SIG_DFL)
