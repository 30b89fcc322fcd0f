"""From a Keras model to LiteRT; with quantise.py all that needs TensorFlow itself here."""

import re
import warnings
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mask_detector.quiet import libraries_muted
from training.backbones import backbones_of
from training.quantise import quantised

# In int8 the first layers do most of the harm, and a softmax cuts small scores to 0, while both take
# hardly any of the time; experiments.md has the figures.
FLOAT_AT_FIRST = 0.25  # share of each network's operations, from its input on, that stay in float

Crops = NDArray[np.uint8] | NDArray[np.float32]


def to_litert(model: keras.Model, calibration: Crops | None = None) -> bytes:
    """Return the model as a LiteRT file for one crop at a time, float32 in and out.

    With `calibration` crops (N, size, size, 3) the arithmetic inside is int8 but for the ends.
    """
    signature = keras.InputSpec(shape=(1, *model.input_shape[1:]), dtype="float32")
    with TemporaryDirectory() as folder, libraries_muted(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on plans for parts of TensorFlow
        model.export(folder, format="tf_saved_model", input_signature=[signature], verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        networks = [base.name for base in backbones_of(model)]
        if calibration is None:
            return converter.convert()
        return quantised(converter, lambda: _one_by_one(calibration), lambda names: _first(names, networks))


def _first(operations: list[str], networks: list[str]) -> set[str]:
    """Return the first operations of each of the networks called so, and those of no network."""
    later = []
    for name in networks:
        own = [operation for operation in operations if re.search(rf"/{re.escape(name)}(_\d+)?/", operation)]
        later += own[round(FLOAT_AT_FIRST * len(own)) :]
    return set(operations) - set(later)


def _one_by_one(crops: Crops) -> Iterator[list[NDArray[np.float32]]]:
    for crop in crops:
        yield [crop[None].astype(np.float32)]
