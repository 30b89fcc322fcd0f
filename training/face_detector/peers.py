"""The published two-class detector that this one is compared with, behind the face detectors' interface."""

from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from mask_detector.face_detectors import NO_FACES, Faces, FaceSearch

_SIDE = 260
_CELLS = (33, 17, 9, 5, 3)
_SIZES = ((0.04, 0.056), (0.08, 0.11), (0.16, 0.22), (0.32, 0.45), (0.64, 0.72))
_RATIOS = (1.0, 0.62, 0.42)
_VARIANCES = np.array([0.1, 0.1, 0.2, 0.2])


class Aizoo:
    """AIZOOTech/FaceMaskDetection (SSD, 260×260, with and without mask); either class counts as a face."""

    name = "aizoo"

    def __init__(self, model: Path, search: FaceSearch = FaceSearch(), threads: int = 2) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.search = search
        self._interpreter = Interpreter(str(model), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._anchors = _anchors()

    def detect(self, image: Image) -> Faces:
        """Return the faces in a BGR image; see `FaceDetector.detect`."""
        entry = self._interpreter.get_input_details()[0]["index"]
        small = cv2.cvtColor(cv2.resize(image, (_SIDE, _SIDE)), cv2.COLOR_BGR2RGB)
        self._interpreter.set_tensor(entry, small[None].astype(np.float32) / 255)
        self._interpreter.invoke()
        outputs = [
            self._interpreter.get_tensor(out["index"])[0] for out in self._interpreter.get_output_details()
        ]
        offsets, scores = sorted(outputs, key=lambda output: -output.shape[1])
        scores = scores.max(axis=1)
        chosen = np.flatnonzero(scores >= self.search.score_threshold)
        boxes = _boxes(offsets[chosen], self._anchors[chosen]) * np.tile(image.shape[1::-1], 2)
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores[chosen].tolist(), 0.0, self.search.nms_threshold)
        kept = np.asarray(kept, int).reshape(-1)
        if not len(kept):
            return NO_FACES
        faces = np.full((len(kept), 15), np.nan, np.float32)
        faces[:, :4], faces[:, 14] = boxes[kept], scores[chosen][kept]
        return faces


def _anchors() -> NDArray[np.float64]:
    """Return centres and sizes of the anchors, shape (5972, 4), in shares of the picture."""
    anchors = []
    for cells, (small, large) in zip(_CELLS, _SIZES, strict=True):
        roots = np.sqrt(_RATIOS)
        shapes = [(small * root, small / root) for root in roots[:1]]
        shapes += [(large, large)]
        shapes += [(small * root, small / root) for root in roots[1:]]
        for row, column in product(range(cells), repeat=2):
            anchors += [((column + 0.5) / cells, (row + 0.5) / cells, *shape) for shape in shapes]
    return np.array(anchors)


def _boxes(offsets: NDArray, anchors: NDArray) -> NDArray:
    """Return x, y, width, height of offsets from anchors."""
    offsets = offsets * _VARIANCES
    centres = offsets[:, :2] * anchors[:, 2:] + anchors[:, :2]
    sizes = np.exp(offsets[:, 2:]) * anchors[:, 2:]
    return np.hstack([centres - sizes / 2, sizes])
