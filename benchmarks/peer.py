"""A published two-class detector, AIZOO's of 2020: one SSD network that finds and classifies at once."""

from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from mask_detector.boxes import clip_boxes
from mask_detector.crops import Image
from mask_detector.detection import Detection

_SIDE = 260
_CELLS = (33, 17, 9, 5, 3)
_SIZES = ((0.04, 0.056), (0.08, 0.11), (0.16, 0.22), (0.32, 0.45), (0.64, 0.72))
_RATIOS = (1, 0.62, 0.42)
_VARIANCES = np.float32([0.1, 0.1, 0.2, 0.2])
_SCORE, _OVERLAP = 0.5, 0.4
_CLASSES = ("mask", "no_mask")


class PeerDetector:
    """Finds masked and bare faces by a `.tflite` file of that network."""

    def __init__(self, model: Path, threads: int) -> None:
        self._interpreter = Interpreter(str(model), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]
        self._anchors = np.concatenate([_level(*level) for level in zip(_CELLS, _SIZES, strict=True)])

    def find(self, image: Image) -> list[Detection]:
        """Return everybody in a BGR image."""
        small = cv2.cvtColor(cv2.resize(image, (_SIDE, _SIDE)), cv2.COLOR_BGR2RGB)
        self._interpreter.set_tensor(self._input, small[None].astype(np.float32) / 255)
        self._interpreter.invoke()
        places, scores = (self._interpreter.get_tensor(output)[0] for output in self._outputs)
        keep = np.flatnonzero(scores.max(axis=1) >= _SCORE)
        boxes = self._boxes(places[keep], keep) * np.tile(image.shape[1::-1], 2)
        boxes, scores = clip_boxes(boxes, *image.shape[1::-1]), scores[keep]
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.max(axis=1).tolist(), _SCORE, _OVERLAP)
        return [self._detection(boxes[index], scores[index]) for index in np.ravel(kept).astype(int)]

    def _boxes(self, places: NDArray, rows: NDArray) -> NDArray:
        """Return x, y, width, height as shares of the image, shape (N, 4)."""
        anchors, moves = self._anchors[rows], places * _VARIANCES
        sizes = anchors[:, 2:] * np.exp(moves[:, 2:])
        return np.hstack([anchors[:, :2] + moves[:, :2] * anchors[:, 2:] - sizes / 2, sizes])

    def _detection(self, box: NDArray, scores: NDArray) -> Detection:
        ranked = sorted(zip(_CLASSES, scores.tolist(), strict=True), key=lambda pair: -pair[1])
        return Detection(tuple(box.tolist()), dict(ranked))


def _level(cells: int, sizes: tuple[float, float]) -> NDArray:
    """Return the anchors of one level, centre x, centre y, width, height, shape (cells² · 4, 4)."""
    first, second = sizes
    shapes = [(first * np.sqrt(ratio), first / np.sqrt(ratio)) for ratio in _RATIOS]
    shapes.insert(1, (second, second))
    centres = (np.stack(np.meshgrid(*[np.arange(cells)] * 2), axis=-1).reshape(-1, 1, 2) + 0.5) / cells
    both = np.broadcast_arrays(centres, np.array(shapes)[None])
    return np.concatenate(both, axis=-1).reshape(-1, 4).astype(np.float32)
