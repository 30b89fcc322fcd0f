"""What happened in a video, in a few lines: the class of the nearest person, from when to when."""

from collections import Counter
from collections.abc import Sequence

from mask_detector.detection import Detection

NOBODY = "nobody"
_SHORTEST = 0.4  # seconds; what is shorter is a flicker and counts to what was before


class Timeline:
    """Collects frames in the order of their time.

    Attributes:
        frames: how many were added.
        faces: how many faces of each class were in them.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.faces: Counter[str] = Counter()
        self._runs: list[tuple[float, float, str]] = []

    def add(self, time: float, detections: Sequence[Detection]) -> None:
        """Add a frame at `time` seconds."""
        self.frames += 1
        self.faces.update(detection.class_id for detection in detections)
        nearest = max(detections, key=lambda one: one.box[2] * one.box[3], default=None)
        state = nearest.class_id if nearest else NOBODY
        if self._runs:
            self._runs[-1] = (self._runs[-1][0], time, self._runs[-1][2])
        if not self._runs or self._runs[-1][2] != state:
            self._runs.append((time, time, state))

    def periods(self) -> list[tuple[float, float, str]]:
        """Return from when to when which state lasted, in seconds, without flickers; none of pictures."""
        if not self._runs or not self._runs[-1][1]:
            return []
        merged: list[tuple[float, float, str]] = []
        for start, end, state in self._runs:
            if merged and (state == merged[-1][2] or end - start < _SHORTEST):
                merged[-1] = (merged[-1][0], end, merged[-1][2])
            else:
                merged.append((start, end, state))
        return merged
