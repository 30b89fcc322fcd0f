"""The interface that every classifier runtime keeps."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from mask_detector.model_store import ClassifierInfo

Scores = NDArray[np.float32]


class Classifier(Protocol):
    """Tells how masks are worn on crops of faces."""

    runtime: str
    info: ClassifierInfo

    def classify(self, crops: Image) -> Scores:
        """Return probabilities, shape (N, outputs), of RGB crops, shape (N, size, size, 3).

        The outputs are the classes and, if `info` has a `background_threshold`, the background.
        """
        ...
