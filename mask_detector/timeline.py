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
        self._states: list[tuple[float, str]] = []

    def add(self, time: float, detections: Sequence[Detection]) -> None:
        """Add a frame at `time` seconds."""
        self.frames += 1
        self.faces.update(detection.class_id for detection in detections)
        nearest = max(detections, key=lambda one: one.box[2] * one.box[3], default=None)
        self._states.append((time, nearest.class_id if nearest else NOBODY))

    def periods(self) -> list[tuple[float, float, str]]:
        """Return from when to when which state lasted, in seconds, flickers left out."""
        merged: list[tuple[float, float, str]] = []
        for start, end, state in self._runs():
            if merged and (state == merged[-1][2] or end - start < _SHORTEST):
                merged[-1] = (merged[-1][0], end, merged[-1][2])
            else:
                merged.append((start, end, state))
        return merged

    def _runs(self) -> list[tuple[float, float, str]]:
        runs: list[tuple[float, float, str]] = []
        for time, state in self._states:
            if runs:
                runs[-1] = (runs[-1][0], time, runs[-1][2])
            if not runs or runs[-1][2] != state:
                runs.append((time, time, state))
        return runs
