"""Who is who: found places are given to the people who are expected there.

Like ByteTrack, certain finds choose first, and uncertain ones may then only continue people who
are still without one. The alternatives were optical flow and comparing looks: both cost time on
every pixel of every face, and a mask that is put on changes the look; expected places cost
microseconds and need nothing but boxes.
"""

import numpy as np
from numpy.typing import NDArray

from mask_detector.follow.motion import FARTHEST, Array, Motions

NOBODY = -1
_NEAR = 0.6  # sizes of the face; so near it may be whoever moves suddenly, if nobody is likelier
_REACH = 2.5  # sizes of the face; nobody is looked for farther away, however long unseen
_UNCERTAIN_REACH = 0.7  # the same for uncertain finds

Rows = NDArray[np.intp]


def associate(motions: Motions, places: Array, certain: NDArray[np.bool_]) -> Rows:
    """Return the row in `motions` of each found place, shape (M,); NOBODY where nobody is expected.

    Args:
        motions: N people, as expected now.
        places: what was found, shape (M, 3).
        certain: which finds choose first, shape (M,).
    """
    rows = np.full(len(places), NOBODY, np.intp)
    if not len(motions.places) or not len(places):
        return rows
    squares, plain, doubt = motions.distances(places)
    reach = np.where(certain, _REACH, _UNCERTAIN_REACH)
    possible = ((squares <= FARTHEST) | (plain <= _NEAR)) & (plain <= reach)
    people, finds = possible.nonzero()
    # The logarithm makes it the likelihood: who was seen just now goes before who was lost long ago.
    costs = (squares + 3 * np.log(doubt))[people, finds]
    order = np.lexsort((costs, ~certain[finds]))
    taken: set[int] = set()
    for person, find in zip(people[order].tolist(), finds[order].tolist(), strict=True):
        if rows[find] == NOBODY and person not in taken:
            rows[find] = person
            taken.add(person)
    return rows
