"""YuNet (2023mar), a small convolutional detector with five landmarks, run by OpenCV's dnn module.

OpenCV's own `FaceDetectorYN` reads this layout only from 4.8 on; decoded here, it also runs with
the OpenCV 4.6 of Ubuntu 24.04. The package's own detector comes in the same layout.
"""

from pathlib import Path

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.errors import ModelError
from mask_detector.face_detectors.base import Faces, FaceSearch
from mask_detector.face_detectors.cells import STRIDES, Level, find_faces, score

_KINDS = ("cls", "obj", "bbox", "kps")  # probability of a face, that the cell is its centre, box, landmarks
_OUTPUTS = [f"{kind}_{stride}" for kind in _KINDS for stride in STRIDES]


class YuNet:
    """Face detector by an ONNX file of YuNet.

    Raises:
        ModelError: the file cannot be read as YuNet.
    """

    def __init__(self, model: Path, search: FaceSearch = FaceSearch(), name: str = "yunet") -> None:
        self.name = name
        self.search = search
        try:
            self._network = cv2.dnn.readNetFromONNX(str(model))
            self.detect(np.zeros((64, 64, 3), np.uint8))
        except (cv2.error, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"{model} is not a YuNet file of 2023mar: {reason}") from error

    def detect(self, image: Image) -> Faces:
        """Return the faces in a BGR image; see `FaceDetector.detect`."""
        return find_faces(image, self._levels, self.search)

    def _levels(self, image: Image) -> list[Level]:
        self._network.setInput(cv2.dnn.blobFromImage(image))
        outputs = dict(zip(_OUTPUTS, self._network.forward(_OUTPUTS), strict=True))
        levels = [[outputs[f"{kind}_{stride}"][0] for kind in _KINDS] for stride in STRIDES]
        return [
            Level(score(face[:, 0], centre[:, 0]), boxes, points) for face, centre, boxes, points in levels
        ]
