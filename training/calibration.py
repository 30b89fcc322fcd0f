"""Crops by which an int8 model learns how large the values inside it become."""

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from training.augment import centre
from training.batches import batches
from training.config import Config
from training.cropset import CropSet

COUNT = 256  # of each kind


def calibration_crops(train: CropSet, outputs: int, config: Config) -> NDArray[np.float32]:
    """Return training crops (N, size, size, 3): some as they are, equally many of each class, some varied."""
    random, size = np.random.default_rng(config.seed), config.crops.size
    classes = np.unique(train.labels)
    picked = [random.choice(np.flatnonzero(train.labels == one), COUNT // len(classes)) for one in classes]
    plain = centre(train.crops[np.concatenate(picked)], size).astype(np.float32)
    drawn = islice(batches(train, outputs, config, 0), -(-COUNT // config.train.batch_size))
    return np.concatenate([plain, *(centre(images, size) for images, _ in drawn)])
