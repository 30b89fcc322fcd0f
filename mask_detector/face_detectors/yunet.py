"""YuNet (2023mar), a small convolutional detector with five landmarks, run by OpenCV."""

from pathlib import Path

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.errors import ModelError
from mask_detector.face_detectors.base import NO_FACES, Faces, FaceSearch, of_size, shrink

FIRST_OPENCV = (4, 8)  # older ones cannot read the 2023mar layout
_STRIDE = 32  # YuNet's coarsest; a thinner image would leave that level empty


def is_supported() -> bool:
    """Tell whether this OpenCV can run YuNet 2023mar."""
    return tuple(int(part) for part in cv2.__version__.split(".")[:2]) >= FIRST_OPENCV


class YuNet:
    """Face detector by an ONNX file of YuNet.

    Raises:
        ModelError: the file cannot be read as YuNet, or OpenCV is older than 4.8.
    """

    name = "yunet"

    def __init__(self, model: Path, search: FaceSearch = FaceSearch()) -> None:
        if not is_supported():
            raise ModelError(
                f"YuNet needs OpenCV 4.8, this is {cv2.__version__}: choose face_detector 'haar'"
            )
        self.search = search
        try:
            self._network = cv2.FaceDetectorYN.create(str(model), "", (320, 320))
            self._network.detect(np.zeros((320, 320, 3), np.uint8))
        except cv2.error as error:
            raise ModelError(f"{model} is not a YuNet file: {_first_line(error)}") from error

    def detect(self, image: Image) -> Faces:
        """Return the faces in a BGR image; see `FaceDetector.detect`."""
        small, scale = shrink(image, self.search.input_size)
        self._network.setInputSize((small.shape[1], small.shape[0]))
        self._network.setScoreThreshold(self.search.score_threshold)
        self._network.setNMSThreshold(self.search.nms_threshold)
        _, found = self._network.detect(small)
        if found is None:
            return NO_FACES
        found[:, :14] *= scale
        return of_size(found[np.isfinite(found).all(axis=1)], self.search)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
