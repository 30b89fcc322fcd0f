"""The time of each image of a stream, also where its stamps do not tell it."""

import time
from collections.abc import Callable

from std_msgs.msg import Header

from mask_detector.messages import seconds_of

_STILL = 30  # images with one and the same stamp, after which it is no time of theirs


class FrameTime:
    """Gives images their stamp's time in seconds, and that of their arrival while stamps stand still.

    Without that nobody would ever settle, nor leave: the node would follow more and more people.

    Args:
        warn: told once of stamps that stand still.
    """

    def __init__(self, warn: Callable[[str], object]) -> None:
        self._warn = warn
        self._warned = False
        self._last = -1.0
        self._same = 0

    def __call__(self, header: Header, arrived: float | None = None) -> float:
        """Return the time in seconds of the next image, which `arrived` then, or now by a steady clock."""
        arrived = time.monotonic() if arrived is None else arrived
        stamped = seconds_of(header, arrived)
        self._same = self._same + 1 if stamped == self._last else 0
        self._last = stamped
        if self._same < _STILL:
            return stamped
        if not self._warned:
            self._warned = True
            self._warn(
                f"the stamps of the images stand still at {stamped} s: people are followed by the time of "
                "arrival instead; let the camera stamp its images"
            )
        return arrived
