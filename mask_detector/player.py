"""Play a source as a camera would: each frame at its time, again and again, back after it was lost."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event

from mask_detector.errors import ImageError
from mask_detector.frame_sources import Frame, FrameSource, Unreadable, is_stream, is_webcam, open_source

PICTURES_A_SECOND = 1.0  # how fast pictures follow each other, which have no rate of their own
_RETRY = 1.0  # seconds between two tries to open a source that is away


class Player:
    """The frames of a source in real time, one after another.

    The times and numbers of a webcam's or stream's frames go on where it was lost and opened again.

    Args:
        spec: what `open_source` takes. A webcam or stream that is away is tried again for ever.
        stop: set from elsewhere to end the play.
        tell: told once of each trouble: a damaged picture, a camera that is away.
        rate: frames a second; 0 for the source's own, PICTURES_A_SECOND for pictures.
        loop: begin again at the end of a file or folder.

    Attributes:
        live, rate: whether the source is live, and its frames a second; known with the first frame.

    Raises:
        ImageError: in the iteration, a file or folder cannot be read or holds nothing to play.
    """

    def __init__(
        self, spec: str, stop: Event, tell: Callable[[str], None], rate: float = 0.0, loop: bool = False
    ) -> None:
        self.live = False
        self.rate = self._wanted_rate = rate
        self._spec = spec
        self._stop = stop
        self._tell = tell
        self._told: set[str] = set()
        self._loop = loop
        self._frames, self._began = 0, 0.0  # of a live source, monotonic seconds
        self._due = 0.0  # when the next frame may come, monotonic seconds
        self._may_come_back = is_webcam(spec) or is_stream(spec)

    def __iter__(self) -> Iterator[Frame]:
        while not self._stop.is_set():
            played = 0
            for frame in self._play_once():
                played += 1
                yield self._numbered_on(frame) if self.live else frame
            if self.live:
                self._stop.wait(_RETRY)
            elif not played and not self._stop.is_set():
                raise ImageError(f"'{self._spec}' holds nothing that can be played")
            elif not self._loop:
                return

    def _play_once(self) -> Iterator[Frame]:
        try:
            with open_source(self._spec) as source:
                self.live = source.live
                yield from self._in_time(source)
        except ImageError as error:
            if not self._may_come_back:
                raise
            self.live = True
            self._tell_once(f"{error}; trying again every second")

    def _in_time(self, source: FrameSource) -> Iterator[Frame]:
        """Yield frames at their rate: a file waits, and of a live source what comes too early is left out."""
        limited = self._wanted_rate > 0 or not source.live
        self.rate = self._wanted_rate or source.rate or (0.0 if source.live else PICTURES_A_SECOND)
        period = 1 / self.rate if limited else 0.0
        self._due = max(self._due, time.monotonic())  # the first frame of a new round waits for the last one
        for item in source:
            if isinstance(item, Unreadable):
                self._tell_once(str(item.error))
                continue
            if source.live and time.monotonic() < self._due:
                continue
            self._stop.wait(max(0.0, self._due - time.monotonic()))
            if self._stop.is_set():
                return
            self._told.clear()
            yield item
            # A play that has fallen behind goes on from now: it never hurries to catch up.
            self._due = max(self._due + period, time.monotonic() - period)

    def _numbered_on(self, frame: Frame) -> Frame:
        """Return a frame of a live source as one of the whole play, in which it may have been away."""
        now = time.monotonic()
        if self._frames == 0:
            self._began = now
        self._frames += 1
        return replace(frame, index=self._frames - 1, time=now - self._began)

    def _tell_once(self, text: str) -> None:
        """Tell a trouble once, until frames come again."""
        if text not in self._told:
            self._told.add(text)
            self._tell(text)
