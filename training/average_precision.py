"""Average precision by the reference implementation, pycocotools."""

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

if TYPE_CHECKING:
    from training.scenes import Boxed

_MOST = 1000  # found faces of one picture that count
_LARGEST = 1e10


def average_precision(
    labelled: "Boxed", found: "Boxed", classes: int, overlap: float, smallest: Sequence[int]
) -> list[list[float | None]]:
    """Return for each of the `smallest` shorter sides the average precision of each class.

    None stands for a class of which no face is labelled.
    """
    pictures = [{"id": int(number)} for number in np.union1d(labelled.pictures, found.pictures)]
    categories = [{"id": number} for number in range(classes)]
    with redirect_stdout(io.StringIO()):  # it tells of its progress
        truth, results = COCO(), COCO()
        for coco, faces in ((truth, labelled), (results, found)):
            coco.dataset = {"images": pictures, "categories": categories, "annotations": _annotations(faces)}
            coco.createIndex()
        return _evaluated(COCOeval(truth, results, "bbox"), overlap, smallest)


def _annotations(faces: "Boxed") -> list[dict[str, Any]]:
    """Return the faces with the square of their shorter side as area, by which they are left out."""
    rows = zip(faces.pictures, faces.boxes, faces.labels, faces.scores, faces.sides, strict=True)
    return [
        {
            "id": number,
            "image_id": int(picture),
            "category_id": int(label),
            "bbox": [float(value) for value in box],
            "area": float(side) ** 2,
            "iscrowd": 0,
            "score": float(score),
        }
        for number, (picture, box, label, score, side) in enumerate(rows, 1)
    ]


def _evaluated(evaluation: COCOeval, overlap: float, smallest: Sequence[int]) -> list[list[float | None]]:
    evaluation.params.iouThrs = np.array([overlap])
    evaluation.params.maxDets = [_MOST]
    evaluation.params.areaRng = [[side**2, _LARGEST] for side in smallest]
    evaluation.params.areaRngLbl = [str(side) for side in smallest]
    evaluation.evaluate()
    evaluation.accumulate()
    curves = evaluation.eval["precision"][0, :, :, :, 0].transpose(2, 1, 0)  # by size, class, recall
    return [[float(curve.mean()) if curve.min() >= 0 else None for curve in group] for group in curves]
