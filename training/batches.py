"""Draw balanced, augmented batches; what is drawn depends on seed and epoch alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from training.augment import augment
from training.config import Config
from training.cropset import BACKGROUND_NAME, DRAWN_NAME, CropSet
from training.teachers import seen_size

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


def draw_weights(train: CropSet, config: Config) -> NDArray[np.float64]:
    """Return the probability to draw each crop: folders by their weight, classes by `class_balance`.

    Background comes on top with a share of its own.
    """
    background = np.char.startswith(train.names, BACKGROUND_NAME)
    weights = np.array([_weight(str(name), config) for name in train.names])
    totals = np.bincount(train.labels, weights)
    weights *= totals[train.labels] ** -config.train.class_balance
    share = config.background.share if background.any() else 0.0
    for part, of_all in ((background, share), (~background, 1 - share)):
        weights[part] *= of_all / max(weights[part].sum(), 1e-12)
    return weights


def _weight(name: str, config: Config) -> float:
    if name.startswith(DRAWN_NAME):
        return config.synthesis.weight
    return config.data.folder_weight.get(name.split("/")[0], 1.0)


def batches(train: CropSet, classes: int, config: Config, epoch: int) -> Iterator[Batch]:
    """Yield an epoch's crops (B, size, size, 3), 0 to 255, and their class probabilities (B, classes).

    Their side is `teachers.seen_size(config)`: what the model and all of its teachers look at.
    """
    random = np.random.default_rng([config.seed, epoch])
    drawn = random.choice(len(train), config.train.epoch_size, p=draw_weights(train, config))
    size = config.train.batch_size
    starts = range(0, len(drawn), size)
    jobs = [(drawn[start : start + size], [config.seed, epoch, start]) for start in starts]
    with ThreadPoolExecutor(1) as ahead:
        waiting = [ahead.submit(_batch, train, classes, config, *job) for job in jobs[:4]]
        for job in [*jobs[4:], *[None] * len(waiting)]:
            yield waiting.pop(0).result()
            if job:
                waiting.append(ahead.submit(_batch, train, classes, config, *job))


def _batch(train: CropSet, classes: int, config: Config, drawn: NDArray, seed: list[int]) -> Batch:
    random = np.random.default_rng(seed)
    size, others = seen_size(config), np.roll(drawn, 1)
    crops = [
        augment(train.crops[i], train.crops[other], size, config.augment, random)
        for i, other in zip(drawn, others, strict=True)
    ]
    images = np.stack(crops).astype(np.float32)
    targets = np.eye(classes, dtype=np.float32)[train.labels[drawn]]
    if random.random() < config.augment.mixup:
        share = np.float32(random.beta(0.4, 0.4))
        images, targets = _mix(images, share), _mix(targets, share)
    return images, targets


def _mix(values: NDArray[np.float32], share: np.float32) -> NDArray[np.float32]:
    return share * values + (1 - share) * values[::-1]
