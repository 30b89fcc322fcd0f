"""Find faces with the node's own detector: boxes for pictures that have none, a second box for the others.

People draw boxes tight, or around the hair; the node's boxes come from a detector. A classifier
trained on both kinds of the same face does not mind which one it is given.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from mask_detector.boxes import Boxes, iou_matrix
from mask_detector.crops import Image
from mask_detector.face_detectors import FaceDetector
from training.data import Face, Refused
from training.pictures import picture_or_none
from training.progress import shown

LEAST_OVERLAP = 0.4
_CENTRAL = 4.0  # times its area counts a face that holds the centre of a picture which shows somebody
DETECTED = ":detector"  # ends the name of a face whose box is the detector's


def boxes_for_folders(faces: Sequence[Face], detector: FaceDetector, refused: Refused) -> list[Face]:
    """Give each picture of a class folder the box of the face that it shows."""
    boxed = []
    for face in shown(faces, "looking for the faces of folders"):
        picture = picture_or_none(face.picture)
        if picture is None:
            refused.add("picture cannot be read", face.name)
            continue
        boxes = detector.detect(picture)[:, :4]
        if not len(boxes):
            refused.add("no face found in the picture", face.name)
            continue
        boxed.append(replace(face, box=_as_tuple(shown_face(boxes, picture))))
    return boxed


def shown_face(boxes: Boxes, picture: Image) -> NDArray[np.float32]:
    """Return the box, of at least one, that a picture of somebody is of: large, and rather in the middle.

    A picture of the labelling loop has the face in its centre, and maybe a larger neighbour at its edge.
    """
    corner, centre = boxes[:, :2], np.array(picture.shape[1::-1]) / 2
    central = ((corner <= centre) & (centre <= corner + boxes[:, 2:4])).all(axis=1)
    areas = boxes[:, 2:4].prod(axis=1)
    return boxes[np.where(central, _CENTRAL * areas, areas).argmax(), :4]


def detector_boxes(faces: Sequence[Face], detector: FaceDetector) -> list[Face]:
    """Return the labelled faces that the detector finds as well, with the detector's boxes."""
    matched = []
    for path, group in groupby(shown(faces, "looking for faces"), key=lambda face: face.picture):
        picture = picture_or_none(path)
        if picture is not None:
            matched += _matched(list(group), detector.detect(picture)[:, :4])
    return matched


def _matched(faces: list[Face], boxes: Boxes) -> list[Face]:
    """Pair each face with the box that overlaps it most, if it does so well enough."""
    if not len(boxes):
        return []
    overlaps = iou_matrix([face.box for face in faces], boxes)
    return [
        replace(face, box=_as_tuple(boxes[row.argmax()]), name=f"{face.name}{DETECTED}")
        for face, row in zip(faces, overlaps, strict=True)
        if row.max() >= LEAST_OVERLAP
    ]


def _as_tuple(box: NDArray[np.float32]) -> tuple[float, ...]:
    return tuple(float(value) for value in box)
