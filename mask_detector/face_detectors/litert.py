"""The package's own face detector in LiteRT (TensorFlow Lite), twice as fast as OpenCV's dnn module."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from mask_detector.crops import Image
from mask_detector.errors import ModelError
from mask_detector.face_detectors.base import Faces, FaceSearch
from mask_detector.face_detectors.cells import PARTS, Level, find_faces, level_of_parts
from mask_detector.quiet import libraries_muted
from mask_detector.workers import Workers, threads_now

_KEPT_SHAPES = (
    4  # interpreters that stay ready, one for each size of picture; another takes some milliseconds
)


class LiteRTFaces:
    """Face detector by a `.tflite` file: BGR (1, height, width, 3), 0 to 255 → nine maps, see `cells.PARTS`.

    Raises:
        ModelError: the file is not such a model.
    """

    def __init__(
        self, model: Path, search: FaceSearch = FaceSearch(), threads: int = 2, name: str = "masked_yunet"
    ) -> None:
        self.name = name
        self.search = search
        self._content = model.read_bytes()
        self._threads = threads
        self._interpreters: OrderedDict[tuple[int, ...], tuple[Any, Workers]] = OrderedDict()
        try:
            self.detect(np.zeros((64, 64, 3), np.uint8))
        except (ValueError, RuntimeError, IndexError) as error:
            raise ModelError(f"{model} is not a face detector for LiteRT: {error}") from error

    def detect(self, image: Image) -> Faces:
        """Return the faces in a BGR image; see `FaceDetector.detect`."""
        return find_faces(image, self._levels, self.search)

    def _levels(self, image: Image) -> list[Level]:
        interpreter, workers = self._interpreter((1, *image.shape))
        interpreter.tensor(interpreter.get_input_details()[0]["index"])()[0] = image
        workers.keep_off_this_core()
        interpreter.invoke()
        parts = [interpreter.get_tensor(output["index"])[0] for output in interpreter.get_output_details()]
        parts.sort(key=lambda part: (-part.shape[0], part.shape[-1]))  # finest first; as in PARTS
        levels = (parts[first : first + len(PARTS)] for first in range(0, len(parts), len(PARTS)))
        return [level_of_parts(*level) for level in levels]

    def _interpreter(self, shape: tuple[int, ...]) -> tuple[Any, Workers]:
        """Return the interpreter for pictures of this shape, and its threads."""
        if shape not in self._interpreters:
            before = threads_now()
            with libraries_muted():  # it announces its choice of kernels
                made = Interpreter(model_content=self._content, num_threads=self._threads)
                made.resize_tensor_input(made.get_input_details()[0]["index"], shape)
                made.allocate_tensors()
            self._interpreters[shape] = made, Workers(threads_now() - before)
            if len(self._interpreters) > _KEPT_SHAPES:
                self._interpreters.popitem(last=False)
        self._interpreters.move_to_end(shape)
        return self._interpreters[shape]
