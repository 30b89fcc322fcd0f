"""How many validation faces the network finds while it learns, at as many unmatched finds as YuNet makes."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from mask_detector.crops import Image
from mask_detector.face_detectors import Faces, FaceSearch
from mask_detector.face_detectors.cells import Level, find_faces, level_of
from mask_detector.face_detectors.yunet import YuNet
from training.errors import TrainingError
from training.face_detector.matching import SMALLEST_JUDGED, match
from training.face_detector.network import build_network
from training.face_detector.scenes import read_scene, read_scenes
from training.face_detector.settings import DetectorConfig
from training.state import Arrays

_SEARCH = FaceSearch(score_threshold=0.05)


class Validation:
    """The validation scenes, and how often YuNet finds there what no label explains.

    Attributes:
        unmatched_finds: how many times.
    """

    def __init__(self, config: DetectorConfig) -> None:
        scenes = read_scenes(Path(config.data.root) / config.data.val)
        self._images = [read_scene(scene.path) for scene in scenes]
        self._boxes = [scene.boxes for scene in scenes]
        self._labels = np.array([label for scene in scenes for label in scene.labels])
        boxes = np.concatenate([np.empty((0, 4)), *self._boxes])
        self._large = boxes[:, 2:].min(axis=1) >= SMALLEST_JUDGED
        if not self._large.any():
            raise TrainingError(
                f"data.val is {config.data.val}, without a face from {SMALLEST_JUDGED} px: by these the "
                "best epoch is chosen"
            )
        self._network = build_network()
        yunet = YuNet(Path(config.data.teacher))
        found = self.find(yunet.detect)
        self._unmatched = match(found, self._boxes).unmatched(yunet.search.score_threshold)
        self.unmatched_finds = round(self._unmatched * len(scenes))
        told = ", ".join(f"{name} {recall:.4f}" for name, recall in self.recalls(found).items())
        print(f"YuNet on the validation scenes: {told}, unmatched {self._unmatched:.3f}", flush=True)

    def find(self, detect: Callable[[Image], Faces]) -> list[Faces]:
        """Return the faces of each picture."""
        return [detect(image) for image in self._images]

    def figures(self, weights: Arrays, share: float = 1.0) -> dict[str, float]:
        """Return the recalls at `share` times YuNet's unmatched finds, and the threshold for that."""
        self._network.set_weights(weights)
        found = self.find(lambda image: find_faces(image, self._levels, _SEARCH))
        threshold = match(found, self._boxes).threshold_for(share * self._unmatched)
        return self.recalls(found, threshold) | {"val_threshold": threshold}

    def recalls(
        self, found: list[Faces], threshold: float = FaceSearch().score_threshold
    ) -> dict[str, float]:
        """Return the recall of each class and their mean, `val_recall`."""
        is_found = match(found, self._boxes).face_scores >= threshold
        recalls = {
            f"val_{name}": float(is_found[self._large & (self._labels == name)].mean())
            for name in np.unique(self._labels[self._large])
        }
        return recalls | {"val_recall": float(np.mean(list(recalls.values())))}

    def _levels(self, image: Image) -> list[Level]:
        return [
            level_of(keras.ops.convert_to_numpy(level)[0])
            for level in self._network(image[None].astype(np.float32))
        ]
