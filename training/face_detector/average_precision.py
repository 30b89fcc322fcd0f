"""Average precision of finds by the reference implementation, pycocotools."""

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mask_detector.face_detectors import Faces
from training.errors import TrainingError
from training.face_detector.matching import LEAST_OVERLAP, SMALLEST_JUDGED

OVERLAPS = (LEAST_OVERLAP, 0.5)
_MOST = 1000  # finds of one picture that count
_LARGEST = 1e10


def average_precisions(found: Sequence[Faces], boxes: Sequence[NDArray]) -> list[float]:
    """Return the average precision at each of OVERLAPS; labelled faces too small to judge are left out."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise TrainingError(
            f"average precision needs pycocotools ({error}): pip install pycocotools"
        ) from error
    with redirect_stdout(io.StringIO()):  # it tells of its progress
        truth, results = COCO(), COCO()
        for coco, rows in ((truth, _labels(boxes)), (results, _finds(found))):
            pictures = [{"id": number} for number in range(len(boxes))]
            coco.dataset = {"images": pictures, "categories": [{"id": 0}], "annotations": rows}
            coco.createIndex()
        evaluation = COCOeval(truth, results, "bbox")
        evaluation.params.iouThrs = np.array(OVERLAPS)
        evaluation.params.maxDets = [_MOST]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[SMALLEST_JUDGED**2, _LARGEST]], ["judged"]
        evaluation.evaluate()
        evaluation.accumulate()
    curves = evaluation.eval["precision"][:, :, 0, 0, 0]  # by overlap and recall
    return [float(curve.mean()) for curve in curves]


def _labels(boxes: Sequence[NDArray]) -> list[dict[str, Any]]:
    rows = [(picture, box) for picture, labelled in enumerate(boxes) for box in labelled]
    return [_annotation(number, *row) for number, row in enumerate(rows, 1)]


def _finds(found: Sequence[Faces]) -> list[dict[str, Any]]:
    rows = [(picture, face) for picture, faces in enumerate(found) for face in faces]
    return [
        _annotation(number, picture, face[:4]) | {"score": float(face[14])}
        for number, (picture, face) in enumerate(rows, 1)
    ]


def _annotation(number: int, picture: int, box: NDArray) -> dict[str, Any]:
    """Return one box, with the square of its shorter side as the area by which it is left out."""
    x, y, width, height = (float(value) for value in box)
    return {
        "id": number,
        "image_id": picture,
        "category_id": 0,
        "bbox": [x, y, width, height],
        "area": min(width, height) ** 2,
        "iscrowd": 0,
    }
