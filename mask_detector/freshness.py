"""Whether to take an image that has waited for its turn, or to wait a moment for a newer one."""

_LATE = 1.25  # periods after an image at which the next one is no longer awaited


class Freshness:
    """Knows how often images come, and so when the next one is near.

    While one image is worked on, the next one waits, up to a whole period of the camera. Where it has
    waited for more than half of it, the image after it is nearer than that: what is published will be fresher
    by more than is lost by waiting. All times in nanoseconds.
    """

    def __init__(self) -> None:
        self._arrived = self._number = self._period = 0

    def wait(self, arrived: int, number: int, now: int) -> int:
        """Return for how long a newer image is to be awaited in place of this one; 0 to take it.

        Args:
            arrived: when this image came.
            number: which one of its publisher's it is.
            now: the time.
        """
        steps = number - self._number
        self._period = (arrived - self._arrived) // steps if self._number and steps > 0 else 0
        self._arrived, self._number = arrived, number
        waited = now - arrived
        near = self._period < 2 * waited < 2 * self._period
        return round(_LATE * self._period) - waited if near else 0
