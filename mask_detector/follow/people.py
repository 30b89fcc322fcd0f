"""Everybody who is followed: where they are, what they wear, when they were seen, and their ids.

Each frame goes in two steps. `see` tells who was found and what is believed of them, and changes
nothing; `learn` then takes the answer in. What was recorded can so be learned as well, and a run
that resumes from its record goes on exactly as if it had never been interrupted.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from mask_detector.detection import Detection
from mask_detector.follow.association import NOBODY, Rows, associate
from mask_detector.follow.motion import COASTING, Motions, places_of
from mask_detector.follow.settling import GLANCES, SURE, believe, clarity, confirm, first_belief

LEFT = ""
"""The class_id with which a person leaves."""

_OUT_OF_ORDER = 0.2  # seconds; time that jumps back farther begins anew: a bag that loops, a new simulation
_NO_MOTIONS = Motions.starting(np.empty((0, 3)))


@dataclass(frozen=True)
class Following:
    """How to follow people; every default of it stands here.

    Attributes:
        score_threshold: least score of a face, times the classifier's probability of one, that continues a
            person, 0 to 1; who is new needs that of the face detector's search.
        patience: seconds for which a person may be unseen until they have left.
        settle_time: seconds of clear evidence after which a state is settled or changes, about.
        look_interval: seconds for which the last look at a face counts where it confirms a settled state;
            0 for a look in every frame.
    """

    score_threshold: float = 0.3
    patience: float = 1.5
    settle_time: float = 0.4
    look_interval: float = 0.0


@dataclass
class _Person:
    """What is known of one person besides the arrays; `seen` and `evidence` in seconds."""

    id: str
    detection: Detection
    seen: float
    evidence: float = 0.0
    settled: bool = False


class People:
    """The people in one stream of images. Times are in seconds; ids are never used again.

    Args:
        class_ids: the classes, in the order of the scores.
        following: how to follow; may be replaced between two frames.
    """

    def __init__(self, class_ids: Sequence[str], following: Following = Following()) -> None:
        self.following = following
        self._class_ids = tuple(class_ids)
        self._last_id = 0
        self._time = 0.0
        self._people: list[_Person] = []
        self._motions = _NO_MOTIONS

    @property
    def ids(self) -> list[str]:
        """Who is followed, those too who are unseen for a moment."""
        return [person.id for person in self._people]

    def find(self, boxes: NDArray, certain: NDArray[np.bool_], time: float) -> Rows:
        """Tell who the found faces are: shape (M,), NOBODY for who is new.

        Args:
            boxes: shape (M, 4).
            certain: shape (M,); the other finds may only continue somebody.
            time: of the frame.
        """
        if self._begins_anew(time):
            return np.full(len(boxes), NOBODY, np.intp)
        awaited = self._awaited(time)
        expected = self._motions.only(awaited).after(self._elapsed(time))
        rows = associate(expected, places_of(boxes), certain)
        return np.append(np.flatnonzero(awaited), NOBODY)[rows]

    def settled(self, rows: Rows) -> list[Detection | None]:
        """Return what is believed of the people in `rows`, None where no state is settled."""
        people = (None if row == NOBODY else self._people[row] for row in rows.tolist())
        return [one.detection if one and one.settled else None for one in people]

    def see(self, rows: Rows, found: Sequence[Detection], time: float) -> list[Detection]:
        """Return what was found with ids and with settled scores; `rows` as `find` gave them."""
        if not found:
            return []
        scores = self._scores(found)
        belief = first_belief(scores)
        known = np.flatnonzero(rows != NOBODY)
        if len(known):
            people = [self._people[row] for row in rows[known].tolist()]
            clear = clarity(tuple(one.box for one in found))
            belief[known] = self._believe(people, scores[known], clear[known], time)
        people = zip(found, belief.tolist(), self._ids_of(rows), strict=True)
        return [Detection(one.box, self._ranked(row), name) for one, row, name in people]

    def learn(self, seen: Sequence[Detection], time: float) -> list[Detection]:
        """Take in what `see` returned; return whose settled state began or changed, and who has left.

        Those who left come first, with the box where they were last seen and LEFT for a class.
        """
        changes = self.forget() if self._begins_anew(time) else []
        elapsed = self._elapsed(time)
        self._motions = self._motions.after(elapsed)
        self._time = self._time + elapsed if self._people else time
        row_of = {person.id: row for row, person in enumerate(self._people)}
        clear = dict(
            zip([one.id for one in seen], clarity(tuple(one.box for one in seen)).tolist(), strict=True)
        )
        known = [one for one in seen if one.id in row_of]
        new = [one for one in seen if one.id and one.id not in row_of]
        changes_of_state = self._meet_again(known, [row_of[one.id] for one in known], clear)
        changes += self._let_go()
        self._let_stand()
        self._welcome(new)
        return changes + changes_of_state

    def forget(self) -> list[Detection]:
        """Begin anew, with ids that go on; return those who have left by that, as `learn` does."""
        left = [_leaving(person) for person in self._people if person.settled]
        self._people, self._motions = [], _NO_MOTIONS
        return left

    def _begins_anew(self, time: float) -> bool:
        return time < self._time - _OUT_OF_ORDER

    def _elapsed(self, time: float) -> float:
        return max(0.0, time - self._time)

    def _believe(self, people: list[_Person], scores: NDArray, clear: NDArray, time: float) -> NDArray:
        before = self._scores([person.detection for person in people])
        elapsed = np.array([max(0.0, time - one.seen) for one in people])
        belief = believe(before, scores, elapsed, clear, self.following.settle_time)
        settled = np.array([one.settled for one in people])
        return confirm(belief, settled & (belief.argmax(axis=1) != before.argmax(axis=1)))

    def _scores(self, detections: Sequence[Detection]) -> NDArray:
        """Return the scores in the order of the classes, shape (N, classes)."""
        in_order = itemgetter(*self._class_ids)
        return np.array([in_order(one.scores) for one in detections])

    def _ids_of(self, rows: Rows) -> list[str]:
        numbers = itertools.count(self._last_id + 1)
        return [str(next(numbers)) if row == NOBODY else self._people[row].id for row in rows.tolist()]

    def _ranked(self, belief: list[float]) -> dict[str, float]:
        return dict(sorted(zip(self._class_ids, belief, strict=True), key=itemgetter(1), reverse=True))

    def _meet_again(
        self, seen: Sequence[Detection], rows: list[int], clear: dict[str, float]
    ) -> list[Detection]:
        """Update the people in `rows`; return those whose state began or changed."""
        if not seen:
            return []
        places = places_of(np.array([one.box for one in seen]))
        self._motions = self._motions.corrected(np.array(rows), places)
        pairs = zip(rows, seen, strict=True)
        return [one for row, one in pairs if self._settles(self._people[row], one, clear[one.id])]

    def _settles(self, person: _Person, seen: Detection, clear: float) -> bool:
        """Update a person, at whom a glance counts `clear`; tell whether the state settles or changes."""
        changed = seen.class_id != person.detection.class_id
        settle_time = self.following.settle_time
        person.evidence += clear * min(self._time - person.seen, settle_time / GLANCES)
        person.detection, person.seen = seen, max(self._time, person.seen)
        if person.settled:
            return changed
        person.settled = person.evidence >= settle_time and seen.score >= SURE
        return person.settled

    def _let_go(self) -> list[Detection]:
        """Drop those who were not seen for too long; return those of them who had a settled state."""
        awaited = self._awaited(self._time)
        if awaited.all():
            return []
        gone = [self._people[row] for row in np.flatnonzero(~awaited)]
        self._people = [self._people[row] for row in np.flatnonzero(awaited)]
        self._motions = self._motions.only(awaited)
        return [_leaving(person) for person in gone if person.settled]

    def _let_stand(self) -> None:
        """Expect who has been unseen for long where they were going: how fast was known for a moment only."""
        if self.following.patience <= COASTING or not self._people:
            return
        lost = np.array([self._time - person.seen > COASTING for person in self._people])
        if lost.any():
            self._motions = self._motions.standing(lost)

    def _awaited(self, time: float) -> NDArray[np.bool_]:
        patience = self.following.patience
        return np.array([time - person.seen <= patience for person in self._people], bool)

    def _welcome(self, seen: Sequence[Detection]) -> None:
        if not seen:
            return
        self._people += [_Person(one.id, one, self._time) for one in seen]
        places = places_of(np.array([one.box for one in seen]))
        self._motions = self._motions.joined(Motions.starting(places))
        self._last_id = max(self._last_id, *(int(one.id) for one in seen))


def _leaving(person: _Person) -> Detection:
    return Detection(person.detection.box, {LEFT: 1.0}, person.id)
