"""OpenCV's Haar cascade, the detector of the classic projects: everywhere, but blind to many masks."""

from pathlib import Path

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.errors import ModelError
from mask_detector.face_detectors.base import NO_FACES, Faces, FaceSearch, of_size, shrink

_CASCADE = "haarcascade_frontalface_default.xml"
_DEBIAN_FOLDER = Path("/usr/share/opencv4/haarcascades")
_SCALE_FACTOR = 1.1
_NEIGHBOURS = 5
_CERTAIN = 8.0  # cascade weight that counts as score 1; true faces reach 4 to 10


class Haar:
    """Face detector by the frontal face cascade that OpenCV 4 carries; it gives no landmarks.

    Its overlapping finds are grouped by the cascade itself: `nms_threshold` has no effect, nor has `tiles`.

    Raises:
        ModelError: this OpenCV has no cascades.
    """

    name = "haar"

    def __init__(self, search: FaceSearch = FaceSearch()) -> None:
        if not hasattr(cv2, "CascadeClassifier"):
            raise ModelError(
                f"OpenCV {cv2.__version__} has no Haar cascades any more: choose another face detector, "
                "or install OpenCV 4"
            )
        self.search = search
        self._cascade = cv2.CascadeClassifier(str(_cascade_file()))

    def detect(self, image: Image) -> Faces:
        """Return the faces in a BGR image; see `FaceDetector.detect`."""
        small, scale = shrink(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), self.search.input_size)
        least = max(1, round(self.search.min_size / scale))
        boxes, _, weights = self._cascade.detectMultiScale3(
            cv2.equalizeHist(small),
            _SCALE_FACTOR,
            _NEIGHBOURS,
            minSize=(least, least),
            outputRejectLevels=True,
        )
        if len(boxes) == 0:
            return NO_FACES
        faces = np.full((len(boxes), 15), np.nan, np.float32)
        faces[:, :4] = boxes * scale
        faces[:, 14] = np.clip(np.ravel(weights) / _CERTAIN, 0, 1)
        return of_size(faces[faces[:, 14] >= self.search.score_threshold], self.search)


def _cascade_file() -> Path:
    """Find the cascade in OpenCV's wheel, or where Debian and Ubuntu keep it."""
    wheel = Path(getattr(getattr(cv2, "data", None), "haarcascades", ""))
    for folder in (wheel, _DEBIAN_FOLDER):
        if (folder / _CASCADE).is_file():
            return folder / _CASCADE
    raise ModelError(
        f"OpenCV {cv2.__version__} brings no {_CASCADE}: install OpenCV 4 (opencv-data on Debian and Ubuntu)"
    )
