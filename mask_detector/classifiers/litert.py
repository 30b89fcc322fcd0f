"""LiteRT (TensorFlow Lite): the default runtime, small and quick to start."""

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from mask_detector.classifiers.base import Scores
from mask_detector.crops import Image
from mask_detector.errors import ModelError
from mask_detector.model_store import ClassifierInfo
from mask_detector.quiet import libraries_muted


class LiteRT:
    """Classifier by a `.tflite` file with float input and output.

    Raises:
        ModelError: the file is not a model of this shape.
    """

    runtime = "litert"

    def __init__(self, info: ClassifierInfo, model: Path, threads: int) -> None:
        self.info = info
        try:
            with libraries_muted():  # it announces its choice of kernels
                # Not by its path: a file that is mapped and then cut short would end the process.
                self._interpreter = Interpreter(model_content=model.read_bytes(), num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{model} is not a LiteRT model: {error}") from error
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def classify(self, crops: Image) -> Scores:
        """Return class probabilities; see `Classifier.classify`."""
        scores = [self._classify_one(crop) for crop in crops]
        return np.concatenate(scores) if scores else np.empty((0, self._classes()), np.float32)

    def _classify_one(self, crop: Image) -> Scores:
        self._interpreter.set_tensor(self._input["index"], crop[None].astype(self._input["dtype"]))
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)

    def _classes(self) -> int:
        return int(self._interpreter.get_output_details()[0]["shape"][-1])
