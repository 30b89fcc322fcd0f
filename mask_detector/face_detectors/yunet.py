"""YuNet (2023mar), a small convolutional detector with five landmarks, run by OpenCV's dnn module.

OpenCV's own `FaceDetectorYN` reads this layout only from 4.8 on; decoded here, it also runs with
the OpenCV 4.6 of Ubuntu 24.04.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from mask_detector.errors import ModelError
from mask_detector.face_detectors.base import NO_FACES, Faces, FaceSearch, of_size, shrink

_STRIDES = (8, 16, 32)  # of the three levels, in pixels
_KINDS = ("cls", "obj", "bbox", "kps")  # probability of a face, that the cell is its centre, box, landmarks
_OUTPUTS = [f"{kind}_{stride}" for kind in _KINDS for stride in _STRIDES]
_LARGEST = 8.0  # exponent of a box's size in strides; a damaged model may not overflow


class YuNet:
    """Face detector by an ONNX file of YuNet.

    Raises:
        ModelError: the file cannot be read as YuNet.
    """

    name = "yunet"

    def __init__(self, model: Path, search: FaceSearch = FaceSearch()) -> None:
        self.search = search
        try:
            self._network = cv2.dnn.readNetFromONNX(str(model))
            self.detect(np.zeros((64, 64, 3), np.uint8))
        except (cv2.error, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"{model} is not a YuNet file of 2023mar: {reason}") from error

    def detect(self, image: Image) -> Faces:
        """Return the faces in a BGR image; see `FaceDetector.detect`."""
        small, scale = shrink(image, self.search.input_size)
        faces = self._candidates(_padded(small))
        if len(faces) == 0:
            return NO_FACES
        kept = cv2.dnn.NMSBoxes(
            faces[:, :4].tolist(),
            faces[:, 14].tolist(),
            self.search.score_threshold,
            self.search.nms_threshold,
        )
        faces = faces[np.asarray(kept, int).reshape(-1)]
        faces[:, :14] *= scale
        return of_size(faces, self.search)

    def _candidates(self, image: Image) -> Faces:
        """Return every cell that passes the score threshold as a face, overlapping ones too."""
        self._network.setInput(cv2.dnn.blobFromImage(image))
        outputs = dict(zip(_OUTPUTS, self._network.forward(_OUTPUTS), strict=True))
        columns = image.shape[1]
        levels = [
            _decode(
                [outputs[f"{kind}_{stride}"][0] for kind in _KINDS], stride, columns // stride, self.search
            )
            for stride in _STRIDES
        ]
        return np.concatenate(levels)


def _padded(image: Image) -> Image:
    """Widen an image at the right and below to whole cells of the coarsest level, two at least.

    On a single row or column of cells OpenCV's network runtime returns rubbish.
    """
    cell = _STRIDES[-1]
    below, right = (max(-side % cell, 2 * cell - side) for side in image.shape[:2])
    return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT)


def _decode(level: list[NDArray[np.float32]], stride: int, columns: int, search: FaceSearch) -> Faces:
    """Return the faces of one level, shape (N, 15), in pixels of the network's input.

    Args:
        level: cls (cells, 1), obj (cells, 1), bbox (cells, 4) and kps (cells, 10), row by row.
        stride: side of a cell in pixels.
        columns: cells in a row.
        search: where its score threshold stands.
    """
    face, centre, boxes, points = level
    scores = np.sqrt(np.clip(face[:, 0], 0, 1) * np.clip(centre[:, 0], 0, 1))
    cells = np.flatnonzero(scores >= search.score_threshold)
    corners = np.stack([cells % columns, cells // columns], axis=1)
    centres = (corners + boxes[cells, :2]) * stride
    sizes = np.exp(np.minimum(boxes[cells, 2:], _LARGEST)) * stride
    landmarks = (points[cells].reshape(-1, 5, 2) + corners[:, None]) * stride
    parts = [centres - sizes / 2, sizes, landmarks.reshape(-1, 10), scores[cells, None]]
    return np.hstack(parts).astype(np.float32)
