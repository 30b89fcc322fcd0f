"""Which finds are which labelled faces, and what follows: recall, and finds that no label explains."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mask_detector.boxes import iou_matrix
from mask_detector.face_detectors import Faces

LEAST_OVERLAP = 0.4
SMALLEST_JUDGED = 24  # pixels of a labelled box's shorter side; smaller ones neither count nor harm


@dataclass(frozen=True)
class Matches:
    """Finds and labelled faces of a set of pictures, paired.

    Attributes:
        scores: of the finds that are labelled faces large enough to count or nobody's at all.
        right: which of these are labelled faces.
        face_scores: for each labelled face the score of its find, 0 where there is none.
        pictures: how many there are.
    """

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]
    face_scores: NDArray[np.float32]
    pictures: int

    def unmatched(self, threshold: float) -> float:
        """Return how many finds a picture no label explains."""
        return float((self.scores[~self.right] >= threshold).sum() / max(self.pictures, 1))

    def threshold_for(self, unmatched: float) -> float:
        """Return the least score threshold with no more unmatched finds a picture than given."""
        wrong = np.sort(self.scores[~self.right])[::-1]
        allowed = int(np.floor(unmatched * self.pictures + 1e-6))
        return float(np.nextafter(wrong[allowed], np.float32(2))) if allowed < len(wrong) else 0.0


def match(found: Sequence[Faces], boxes: Sequence[NDArray]) -> Matches:
    """Pair finds with labelled boxes (M, 4) in each picture, surest find first."""
    scores, right, face_scores = [], [], []
    for faces, labelled in zip(found, boxes, strict=True):
        faces = faces[np.argsort(-faces[:, 14], kind="stable")]
        of_find, of_face = _pair(faces, labelled)
        large = labelled[:, 2:].min(axis=1, initial=np.inf) >= SMALLEST_JUDGED
        counts = np.array([number < 0 or large[number] for number in of_find], bool)
        scores.append(faces[counts, 14])
        right.append(of_find[counts] >= 0)
        face_scores.append(of_face)
    return Matches(np.concatenate(scores), np.concatenate(right), np.concatenate(face_scores), len(found))


def _pair(faces: Faces, labelled: NDArray) -> tuple[NDArray[np.int_], NDArray[np.float32]]:
    """Return for each find its face's number or -1, and for each face the score of its find or 0."""
    of_find = np.full(len(faces), -1)
    of_face = np.zeros(len(labelled), np.float32)
    if not len(labelled):
        return of_find, of_face
    overlaps = iou_matrix(faces[:, :4], labelled)
    for find in range(len(faces)):
        free = np.where(of_face == 0, overlaps[find], 0)
        if free.max() >= LEAST_OVERLAP:
            of_find[find] = free.argmax()
            of_face[free.argmax()] = faces[find, 14]
    return of_find, of_face
