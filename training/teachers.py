"""Learn from the mean scores of trained models: several good ones in one small one.

The teachers see the very crops that the student sees, each with its own margin and size, so that
a crop varied beyond recognition is answered as such by both.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from mask_detector.background import class_scores
from training.config import Config, DistilConfig
from training.errors import TrainingError

Images = NDArray[np.float32]
Batch = tuple[Images, NDArray[np.float32]]


def seen_size(config: Config) -> int:
    """Return the side in pixels of the crops that hold what the model and each of its teachers see."""
    margins = [teacher.margin for teacher in config.distil.teachers]
    widest = max([config.crops.margin, *margins])
    return 2 * round(config.crops.size * widest / config.crops.margin / 2)


def view(images: Images, share: float, size: int) -> Images:
    """Return the middle `share` of square images (N, S, S, 3), scaled to (N, size, size, 3)."""
    start = round(images.shape[1] * (1 - share) / 2)
    middle = images[:, start : images.shape[1] - start, start : images.shape[1] - start]
    if middle.shape[1] == size:
        return middle
    method = cv2.INTER_AREA if middle.shape[1] > size else cv2.INTER_LINEAR
    return np.stack([cv2.resize(image, (size, size), interpolation=method) for image in middle])


class Teachers:
    """The models that the settings name, with what they think of a batch."""

    def __init__(self, config: DistilConfig) -> None:
        self._share = config.share
        self._models = [(_load(Path(teacher.model)), teacher.margin) for teacher in config.teachers]

    def taught(self, batches: Iterable[Batch], config: Config) -> Iterator[Batch]:
        """Yield the batches as the model is to see them, their targets moved towards the teachers' scores."""
        size, margin = config.crops.size, config.crops.margin
        for images, targets in batches:
            seen = images.shape[1] * margin / size  # the margin of all that is there
            if self._models:
                targets = self._mixed(images, targets, seen)
            yield view(images, margin / seen, size), targets

    def _mixed(self, images: Images, targets: NDArray[np.float32], seen: float) -> NDArray[np.float32]:
        """Teachers know the classes alone; how much of a crop is background, its label says.

        Where they err the label stands alone: what they never saw, they would teach wrong.
        """
        scores = [
            model.predict_on_batch(view(images, margin / seen, model.input_shape[1]))
            for model, margin in self._models
        ]
        classes = min(targets.shape[1], *(one.shape[1] for one in scores))
        scores = [one if one.shape[1] == classes else class_scores(one, classes) for one in scores]
        mean, own = np.mean(scores, axis=0), targets[:, :classes]
        right = mean.argmax(axis=1) == own.argmax(axis=1)
        taught = targets.copy()
        taught[right, :classes] = (mean * own.sum(axis=1, keepdims=True))[right]
        return self._share * taught + (1 - self._share) * targets


def _load(path: Path) -> keras.Model:
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TrainingError(f"distil.teachers: {path} is no model that can be read: {reason:.200}") from error
