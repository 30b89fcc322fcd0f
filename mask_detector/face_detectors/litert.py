"""The package's own face detector in LiteRT (TensorFlow Lite), twice as fast as OpenCV's dnn module."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

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
    """Face detector by a `.tflite` file: BGR (1, height, width, 3) → nine maps, see `cells.PARTS`.

    The input is float32 from 0 to 255, or int8 with 128 taken off.

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
        self._networks: OrderedDict[tuple[int, ...], _Network] = OrderedDict()
        try:
            self.detect(np.zeros((64, 64, 3), np.uint8))
        except (ValueError, RuntimeError, IndexError) as error:
            raise ModelError(f"{model} is not a face detector for LiteRT: {error}") from error

    def detect(self, image: Image) -> Faces:
        """Return the faces in a BGR image; see `FaceDetector.detect`."""
        return find_faces(image, self._levels, self.search)

    def _levels(self, image: Image) -> list[Level]:
        maps = self._network((1, *image.shape)).maps(image)
        levels = (maps[first : first + len(PARTS)] for first in range(0, len(maps), len(PARTS)))
        return [level_of_parts(*level) for level in levels]

    def _network(self, shape: tuple[int, ...]) -> "_Network":
        """Return the network for pictures of this shape."""
        if shape not in self._networks:
            self._networks[shape] = _Network(self._content, shape, self._threads)
            if len(self._networks) > _KEPT_SHAPES:
                self._networks.popitem(last=False)
        self._networks.move_to_end(shape)
        return self._networks[shape]


class _Network:
    """The model, ready for pictures of one shape (1, height, width, 3)."""

    def __init__(self, content: bytes, shape: tuple[int, ...], threads: int) -> None:
        before = threads_now()
        with libraries_muted():  # it announces its choice of kernels
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            given = self._interpreter.get_input_details()[0]
            self._interpreter.resize_tensor_input(given["index"], shape)
            self._interpreter.allocate_tensors()
        self._workers = Workers(threads_now() - before)
        self._input = self._interpreter.tensor(given["index"])
        self._in_bytes = given["dtype"] == np.int8
        if self._in_bytes and given["quantization"] != (1.0, -128):
            raise ValueError(f"its input is int8 with scale and zero point {given['quantization']}")
        # Asked for once: that takes longer than reading the maps.
        maps = self._interpreter.get_output_details()
        maps.sort(key=lambda one: (-one["shape"][1], one["shape"][-1]))  # finest first; as in PARTS
        self._maps = [one["index"] for one in maps]

    def maps(self, image: Image) -> list[NDArray[np.float32]]:
        """Return the maps (rows, columns, channels) of a BGR image."""
        if self._in_bytes:  # 128 less, in one pass over bytes; as floats they would be four times as many
            np.bitwise_xor(image, 0x80, out=self._input()[0].view(np.uint8))
        else:
            self._input()[0] = image
        self._workers.keep_off_this_core()
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._maps]
