"""OpenCV's dnn module: needs nothing but OpenCV itself, from the 4.6 of Ubuntu 24.04 on."""

from pathlib import Path

import cv2
import numpy as np

from mask_detector.classifiers.base import Scores
from mask_detector.crops import Image
from mask_detector.errors import ModelError
from mask_detector.model_store import ClassifierInfo


class OpenCV:
    """Classifier by an ONNX file with input (1, size, size, 3) and output (1, classes), both float.

    Its number of threads is OpenCV's own, `cv2.setNumThreads`.

    Raises:
        ModelError: the file is not such a model.
    """

    runtime = "opencv"

    def __init__(self, info: ClassifierInfo, model: Path, threads: int) -> None:
        self.info = info
        try:
            self._network = cv2.dnn.readNetFromONNX(str(model))
            self._classes = self._classify_one(np.zeros((info.input_size,) * 2 + (3,), np.uint8)).shape[1]
        except cv2.error as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"{model} is not an ONNX model that OpenCV can run: {reason}") from error

    def classify(self, crops: Image) -> Scores:
        """Return class probabilities; see `Classifier.classify`."""
        scores = [self._classify_one(crop) for crop in crops]
        return np.concatenate(scores) if scores else np.empty((0, self._classes), np.float32)

    def _classify_one(self, crop: Image) -> Scores:
        self._network.setInput(crop[None].astype(np.float32))
        return self._network.forward().copy()  # the network writes into the same memory next time
