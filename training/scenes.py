"""The whole pipeline on scenes, run as the node runs it: faces are to be found, and then told.

Not every face in the background of a scene is labelled. One that is found all the same counts as
found wrongly, so precision is a lower bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mask_detector.background import are_people
from mask_detector.boxes import Boxes, as_boxes, iou_matrix
from mask_detector.crops import Image
from mask_detector.pipeline import MaskDetector
from training.average_precision import average_precision
from training.data import Face
from training.figures import SMALLEST_JUDGED, Figures
from training.pictures import picture_or_none
from training.progress import shown

LEAST_FACE_SCORE = 0.1  # of a face that counts for mAP, which looks at all thresholds
LEAST_OVERLAP = 0.5  # of a box with the labelled one, for mAP@50 and for precision and recall alike


@dataclass(frozen=True)
class Boxed:
    """N faces: the numbers of their pictures (N,), boxes (N, 4), classes (N,), and scores (N,).

    `sure` tells which the node would publish.
    """

    pictures: NDArray[np.int64]
    boxes: Boxes
    labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    sure: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_]) -> "Boxed":
        return Boxed(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def sides(self) -> NDArray[np.float32]:
        return self.boxes[:, 2:].min(axis=1)


def scene_figures(detector: MaskDetector, pictures: Sequence[Path], faces: Sequence[Face]) -> Figures:
    """Return the figures of the pipeline on pictures with labelled faces: of all, and of the large ones."""
    numbers = {path: number for number, path in enumerate(pictures)}
    labelled = [(numbers[face.picture], face.box, face.label, 1.0, True) for face in faces]
    found: list[tuple] = []
    for path in shown(pictures, "scenes"):
        image = picture_or_none(path)
        found += [] if image is None else [(numbers[path], *row) for row in _found(detector, image)]
    return compared(boxed(labelled), boxed(found), detector.class_ids)


def compared(labelled: Boxed, found: Boxed, classes: tuple[str, ...]) -> Figures:
    """Return the figures by group of faces, from labelled and found ones."""
    precisions = average_precision(labelled, found, len(classes), LEAST_OVERLAP, (0, SMALLEST_JUDGED))
    groups = {"all": 0, f"short side from {SMALLEST_JUDGED} px": SMALLEST_JUDGED}
    return {
        name: _figures(labelled, found.where(found.sure), classes, smallest, averages)
        for (name, smallest), averages in zip(groups.items(), precisions, strict=True)
    }


def boxed(rows: Sequence[tuple]) -> Boxed:
    """Return rows of picture, box, class, score and whether it is sure as arrays."""
    columns = list(zip(*rows, strict=True)) or [()] * 5
    kinds = (np.int64, np.float32, np.int64, np.float64, np.bool_)
    arrays = [np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return Boxed(arrays[0], as_boxes(arrays[1]), *arrays[2:])


def matched(labelled: Boxed, found: Boxed) -> NDArray[np.int64]:
    """Return for each found face the number of the labelled one that it is, -1 if none, shape (N,)."""
    overlaps = iou_matrix(found.boxes, labelled.boxes)
    overlaps[found.pictures[:, None] != labelled.pictures[None]] = 0
    partners = np.full(len(found.labels), -1)
    while overlaps.size and overlaps.max() >= LEAST_OVERLAP:
        row, column = np.unravel_index(overlaps.argmax(), overlaps.shape)
        partners[row] = column
        overlaps[row], overlaps[:, column] = 0, 0
    return partners


def _found(detector: MaskDetector, image: Image) -> list[tuple]:
    """Return box, class, score and whether it is sure of each face; one that is rejected is not there."""
    faces = detector.counting(detector.find(image, LEAST_FACE_SCORE), LEAST_FACE_SCORE)
    told, probabilities = detector.classify(image, faces)
    sure = are_people(faces[:, 14], probabilities, detector.face_detector.search.score_threshold)
    both = faces[:, 14] * probabilities
    return [
        (one.box, detector.class_ids.index(one.class_id), score * one.score, published)
        for one, score, published in zip(told, both.tolist(), sure.tolist(), strict=True)
        if score > 0
    ]


def _figures(
    labelled: Boxed, found: Boxed, classes: tuple[str, ...], smallest: int, averages: list[float | None]
) -> Figures:
    """Count with smaller labelled faces, what was found of them, and smaller false finds left out."""
    partners = matched(labelled, found)
    sides = np.where(partners >= 0, np.append(labelled.sides, 0)[partners], found.sides)
    partners, told = partners[sides >= smallest], found.labels[sides >= smallest]
    true = np.append(labelled.labels, -1)[partners]
    count_of = np.bincount(labelled.labels[labelled.sides >= smallest], minlength=len(classes))
    of_class = {}
    for label, name in enumerate(classes):
        right = int(((told == label) & (true == label)).sum())
        of_class[name] = {
            "faces": int(count_of[label]),
            "found": int((true == label).sum()),
            "right": right,
            "told": int((told == label).sum()),
            "told_unlabelled": int(((told == label) & (true == -1)).sum()),
            "precision": _share(right, int((told == label).sum())),
            "recall": _share(right, int(count_of[label])),
            "average_precision": averages[label],
        }
    known = [average for average in averages if average is not None]
    return {"faces": int(count_of.sum()), "map50": float(np.mean(known or [0.0])), "classes": of_class}


def _share(part: int, of: int) -> float | None:
    return part / of if of else None
