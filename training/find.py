"""Find faces with a detector: boxes for pictures that have none, and a second box for those that have.

People draw boxes tight, or around the hair; the node's boxes come from a detector. A classifier
trained on both kinds of the same face does not mind which one it is given.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from mask_detector.boxes import Boxes, as_boxes, iou_matrix
from training.config import TrainingError
from training.data import Face, Refused

LEAST_SCORE = 0.6
LEAST_OVERLAP = 0.4


class FaceFinder:
    """YuNet, from an ONNX file."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise TrainingError(f"no face detector {path}: name a YuNet ONNX file in data.face_detector")
        self._net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), score_threshold=LEAST_SCORE)

    def __call__(self, picture: np.ndarray) -> Boxes:
        """Return the boxes of the faces in a BGR picture, shape (N, 4), in its pixels."""
        self._net.setInputSize((picture.shape[1], picture.shape[0]))
        found = self._net.detect(picture)[1]
        return as_boxes([] if found is None else found[:, :4])


def boxes_for_folders(faces: Sequence[Face], finder: FaceFinder, refused: Refused) -> list[Face]:
    """Give each picture of a class folder the box of the largest face found in it."""
    boxed = []
    for face in faces:
        picture = cv2.imread(str(face.picture), cv2.IMREAD_COLOR)
        if picture is None:
            refused.add("picture cannot be read", face.name)
            continue
        boxes = finder(picture)
        if not len(boxes):
            refused.add("no face found in the picture", face.name)
            continue
        largest = boxes[boxes[:, 2:].prod(axis=1).argmax()]
        boxed.append(replace(face, box=tuple(map(float, largest))))
    return boxed


def detector_boxes(faces: Sequence[Face], finder: FaceFinder) -> list[Face]:
    """Return the labelled faces that the detector finds as well, with the detector's boxes."""
    matched = []
    for path, group in groupby(faces, key=lambda face: face.picture):
        labelled = list(group)
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        boxes = as_boxes([]) if picture is None else finder(picture)
        if not len(boxes):
            continue
        overlaps = iou_matrix([face.box for face in labelled], boxes)
        for face, row in zip(labelled, overlaps, strict=True):
            if row.max() >= LEAST_OVERLAP:
                box = tuple(map(float, boxes[row.argmax()]))
                matched.append(replace(face, box=box, name=f"{face.name}:detector"))
    return matched
