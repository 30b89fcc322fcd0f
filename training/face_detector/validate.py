"""How many validation faces the network finds while it learns, at as many unexplained finds as YuNet makes."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.face_detectors import FaceSearch
from mask_detector.face_detectors.cells import Level, find_faces, level_of
from mask_detector.face_detectors.yunet import YuNet
from training.face_detector.matching import SMALLEST_JUDGED, match
from training.face_detector.network import build_network
from training.face_detector.scenes import read_scenes
from training.face_detector.settings import DetectorConfig
from training.state import Arrays

_LOWEST = 0.05


class Validation:
    """The validation scenes, and how often YuNet finds there what no label explains."""

    def __init__(self, config: DetectorConfig) -> None:
        scenes = read_scenes(Path(config.data.root) / config.data.val)
        self._images = [cv2.imread(str(scene.path)) for scene in scenes]
        self._boxes = [scene.boxes for scene in scenes]
        self._labels = np.array([label for scene in scenes for label in scene.labels])
        self._large = np.concatenate(self._boxes)[:, 2:].min(axis=1) >= SMALLEST_JUDGED
        teacher = YuNet(Path(config.data.start))
        finds = match([teacher.detect(image) for image in self._images], self._boxes)
        self._unmatched = finds.unmatched(teacher.search.score_threshold)
        self._network = build_network()
        recall = {name: value for name, value in self._recalls(finds, teacher.search.score_threshold).items()}
        print(f"YuNet on the validation scenes: unmatched {self._unmatched:.3f}, {recall}", flush=True)

    def figures(self, weights: Arrays) -> dict[str, Any]:
        """Return the recall of each class and their mean, and the score threshold that it holds for."""
        self._network.set_weights(weights)
        finds = match([self._find(image) for image in self._images], self._boxes)
        threshold = finds.threshold_for(self._unmatched)
        return self._recalls(finds, threshold) | {"val_threshold": threshold}

    def _recalls(self, finds: Any, threshold: float) -> dict[str, float]:
        found = finds.face_scores >= threshold
        recalls = {
            f"val_{name}": float(found[self._large & (self._labels == name)].mean())
            for name in np.unique(self._labels)
        }
        return recalls | {"val_recall": float(np.mean(list(recalls.values())))}

    def _find(self, image: Image) -> np.ndarray:
        return find_faces(image, self._levels, FaceSearch(score_threshold=_LOWEST))

    def _levels(self, image: Image) -> list[Level]:
        return [level_of(np.array(level)[0]) for level in self._network(image[None].astype(np.float32))]
