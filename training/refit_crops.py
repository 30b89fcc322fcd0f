"""What the output for background is fitted to: faces, what looks like one, and what does not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image, crop_faces
from mask_detector.face_detectors import make_face_detector
from training.augment import augment, centre, darken, far_away
from training.batches import draw_weights
from training.config import Config
from training.cropset import BACKGROUND_NAME, CropSet
from training.face_detector.backgrounds import people_free
from training.lookalikes import SEARCH_SMALL, shown_lookalikes
from training.progress import shown

Random = np.random.Generator

FACES, LOOKALIKES, OTHERS = "faces", "lookalikes", "other background"
_DRAWN, _OFTEN = 40_000, 20  # faces, and times the faces that there are, at most
_DARK = 0.5  # share of what is varied of the lookalikes
_TIMES = 2  # that other background is shown
_SMALLEST = 24  # pixels of the camera


def crops_by_kind(train: CropSet, config: Config) -> dict[str, Iterator[Image]]:
    """Return crops (size, size, 3) by kind, made as they are asked for; `train` is what was trained on."""
    background = np.char.startswith(train.names, BACKGROUND_NAME)
    faces, random = train.where(~background), np.random.default_rng([config.seed, 2])
    weights = draw_weights(train, config)[~background]
    return {
        FACES: _faces(faces, weights / weights.sum(), config, random),
        LOOKALIKES: _lookalikes(faces, config, random),
        OTHERS: (
            _varied(crop, faces, config, random) for crop in train.crops[background] for _ in range(_TIMES)
        ),
    }


def _faces(faces: CropSet, weights: NDArray[np.float64], config: Config, random: Random) -> Iterator[Image]:
    """Yield faces as training draws them: in turn as they are, varied, with little light, and far away."""
    drawn = random.choice(len(faces), min(_DRAWN, _OFTEN * len(faces)), p=weights)
    for number, row in enumerate(shown(drawn.tolist(), FACES)):
        crop, way = faces.crops[row], number % 4
        if way == 0:
            yield centre(crop, config.crops.size)
        elif way == 1:
            yield _varied(crop, faces, config, random)
        elif way == 2:
            yield _in_the_dark(crop, faces.sides[row], faces, config, random)
        else:
            yield _varied(far_away(crop, random), faces, _taken(config), random)


def _lookalikes(faces: CropSet, config: Config, random: Random) -> Iterator[Image]:
    """Yield what looks like a face in pictures without people: as it is, and varied or with little light."""
    pictures = people_free(Path(config.data.root), config.background.pictures)
    detector = make_face_detector(config.data.face_detector, search=SEARCH_SMALL)
    for picture, boxes in shown_lookalikes(pictures, detector, random):
        crops = crop_faces(picture, boxes, config.crops.outer_size, config.crops.outer_margin)
        for crop, side in zip(crops, boxes[:, 2:].min(axis=1, initial=np.inf), strict=True):
            yield centre(crop, config.crops.size)
            if random.random() < _DARK:
                yield _in_the_dark(crop, side, faces, config, random)
            else:
                yield _varied(crop, faces, config, random)


def _in_the_dark(crop: Image, side: float, faces: CropSet, config: Config, random: Random) -> Image:
    """Return a varied crop with the noise of the camera's pixels, of which `side` lie across the face."""
    pixels = np.clip(side * config.crops.outer_margin, _SMALLEST, len(crop))
    return _varied(darken(crop, random, int(pixels)), faces, _taken(config), random)


def _taken(config: Config) -> Config:
    """Return the settings for what is dark or small and compressed already."""
    return replace(config, augment=replace(config.augment, dark=0, small=0, jpeg=0))


def _varied(crop: Image, faces: CropSet, config: Config, random: Random) -> Image:
    other = faces.crops[random.integers(len(faces))]
    return augment(crop, other, config.crops.size, config.augment, random)
