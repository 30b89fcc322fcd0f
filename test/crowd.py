"""A made-up crowd: twelve people walk round and round before the camera and hide each other."""

from collections.abc import Iterator

import numpy as np

from mask_detector.boxes import Boxes
from mask_detector.detection import Detection

PEOPLE = 12
_LEAST_SCORE = 0.3
_LAP = 12.0  # seconds
_JITTER = 0.03  # of a found box, in sizes of the face
_MISSED = 0.02  # share of finds that are missed for no reason
_HIDING = 0.5  # share of a face that another covers when it is no longer found


def crowd(seed: int, seconds: float, rate: float) -> Iterator[tuple[float, dict[int, tuple[Boxes, float]]]]:
    """Yield the time of each frame, and the box and the score of everybody who is found in it."""
    rng = np.random.default_rng(seed)
    lap, height = _LAP * rng.uniform(0.997, 1.003, PEOPLE), rng.uniform(-0.3, 0.3, PEOPLE)
    large = 90 * rng.uniform(0.9, 1.1, PEOPLE)
    for number in range(round(seconds * rate)):
        time = number / rate
        turn = 2 * np.pi * (time / lap + np.arange(PEOPLE) / PEOPLE)
        sizes = large * (1 + 0.15 * np.cos(turn))
        x, y = 640 + 500 * np.sin(turn), 300 + 80 * np.cos(turn) + height * sizes
        boxes = np.stack([x - 0.45 * sizes, y - 0.55 * sizes, 0.9 * sizes, 1.1 * sizes], axis=1)
        yield time, _found(boxes, rng)


def _found(boxes: Boxes, rng: np.random.Generator) -> dict[int, tuple[Boxes, float]]:
    found, nearest_first = {}, np.argsort(-boxes[:, 2]).tolist()
    for place, person in enumerate(nearest_first):
        covered = max((_covered(boxes[person], boxes[one]) for one in nearest_first[:place]), default=0.0)
        score = 0.9 - 0.9 * covered
        if covered <= _HIDING and score >= _LEAST_SCORE and rng.random() >= _MISSED:
            found[person] = boxes[person] + rng.normal(0, _JITTER, 4) * boxes[person, 2] / 0.9, score
    return found


def _covered(box: Boxes, other: Boxes) -> float:
    low = np.maximum(box[:2], other[:2])
    high = np.minimum(box[:2] + box[2:], other[:2] + other[2:])
    return float(np.clip(high - low, 0, None).prod() / box[2:].prod())


def as_detection(box: Boxes) -> Detection:
    """A masked face there."""
    return Detection(tuple(box.tolist()), {"mask": 0.9, "improper_mask": 0.06, "no_mask": 0.04})
