"""What a period comes to, in a few numbers."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mask_detector.viewer.history import WATCHED, History, Row
from mask_detector.viewer.looks import looks

_STEPS = (60, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)  # seconds
_MOST_STEPS = 48
_LEAST_SECONDS = 10.0  # of people in view for which an interval is named as the best or the worst


@dataclass(frozen=True)
class Shares:
    """For how many seconds people were in view, by class; `watched` is for how long a camera was."""

    watched: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    changes: int = 0

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    @property
    def people(self) -> float:
        """How many people a camera had in view, on average of the time for which it was watched."""
        return self.total / self.watched if self.watched else 0.0

    def share(self, class_id: str) -> float:
        """Return the share of a class, 0 to 1."""
        return self.seconds.get(class_id, 0.0) / self.total if self.total else 0.0


@dataclass(frozen=True)
class Summary:
    """A period in numbers; times in seconds since 1970.

    Attributes:
        step: length of the intervals.
        all: of all cameras together.
        cameras, intervals: of each camera, and of each interval by its start.
        changes: how often a state began, by (start of the hour or interval, class).
        change_step: length of what `changes` counts.
        ahead: how far local time is ahead of UTC when the period begins; intervals begin at its midnight.
    """

    begin: float
    end: float
    step: int
    all: Shares
    cameras: dict[str, Shares]
    intervals: dict[int, Shares]
    changes: Counter[tuple[int, str]]
    change_step: int
    ahead: int

    @property
    def observed(self) -> float:
        """Seconds for which a camera was watched, on average of the cameras that were."""
        return self.all.watched / len(self.cameras) if self.cameras else 0.0

    def extremes(self) -> tuple[int, int] | None:
        """Return the starts of the intervals with the least and the largest share of proper masks."""
        good = looks()[0].id
        counted = [start for start, one in self.intervals.items() if one.total >= _LEAST_SECONDS]
        if len(counted) < 2:
            return None
        ranked = sorted(counted, key=lambda start: self.intervals[start].share(good))
        return ranked[0], ranked[-1]

    def halves(self) -> tuple[float, float] | None:
        """Return the shares of proper masks in the first and in the second half of the period."""
        middle = (self.begin + self.end) / 2
        halves = []
        for part in (
            [one for start, one in self.intervals.items() if (start < middle) == first]
            for first in (True, False)
        ):
            total = sum(one.total for one in part)
            if total < _LEAST_SECONDS:
                return None
            halves.append(sum(one.seconds.get(looks()[0].id, 0.0) for one in part) / total)
        return halves[0], halves[1]

    def unwatched(self) -> list[tuple[int, int]]:
        """Return begin and end of the times at which no camera was watched, in whole intervals."""
        first = _floor(self.begin, self.step, self.ahead) + self.step
        gaps: list[tuple[int, int]] = []
        for start in range(first, int(self.end - self.step) + 1, self.step):
            if start not in self.intervals:
                begin = gaps.pop()[0] if gaps and gaps[-1][1] == start else start
                gaps.append((begin, start + self.step))
        return gaps

    @property
    def quiet(self) -> bool:
        """Whether there are intervals in which a camera was watched and nobody was in view."""
        return not all(one.total for one in self.intervals.values())

    def busiest(self) -> int | None:
        """Return the start of the interval in which most people were in view."""
        return max(self.intervals, key=lambda start: self.intervals[start].total, default=None)


def summarise(history: History, begin: float, end: float) -> Summary:
    """Return what was seen in a period."""
    step = next((step for step in _STEPS if (end - begin) / step <= _MOST_STEPS), _STEPS[-1])
    change_step = max(step, 3600) if end - begin > 2 * 3600 else step
    ahead = ahead_of_utc(begin)
    rows = history.presence(begin, end, step, ahead)
    changes = history.changes(begin, end)
    cameras = sorted({row[1] for row in rows} | {camera for _, camera, _ in changes})
    return Summary(
        begin=begin,
        end=end,
        step=step,
        all=_shares(rows, len(changes)),
        cameras={name: _of_camera(name, rows, changes) for name in cameras},
        intervals={start: _shares(part) for start, part in _by_start(rows).items()},
        changes=Counter((_floor(at, change_step, ahead), class_id) for at, _, class_id in changes),
        change_step=change_step,
        ahead=ahead,
    )


def ahead_of_utc(at: float) -> int:
    """Return how many seconds local time is ahead of UTC."""
    return int(datetime.fromtimestamp(at).astimezone().utcoffset().total_seconds())


def _floor(at: float, step: int, ahead: int) -> int:
    return (int(at) + ahead) // step * step - ahead


def _of_camera(name: str, rows: Sequence[Row], changes: Sequence[tuple[float, str, str]]) -> Shares:
    own = [row for row in rows if row[1] == name]
    return _shares(own, sum(camera == name for _, camera, _ in changes))


def _by_start(rows: Sequence[Row]) -> dict[int, list[Row]]:
    parts: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        parts[row[0]].append(row)
    return parts


def _shares(rows: Sequence[Row], changes: int = 0) -> Shares:
    seconds: Counter[str] = Counter()
    for _, _, class_id, value in rows:
        seconds[class_id] += value
    watched = seconds.pop(WATCHED, 0.0)
    return Shares(watched, dict(seconds), changes)
