"""From a Keras model to LiteRT; the only module here that needs TensorFlow itself."""

from collections.abc import Iterator
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def to_litert(model: keras.Model, calibration: NDArray[np.uint8] | None = None) -> bytes:
    """Return the model as a LiteRT file for one crop at a time, float32 in and out.

    With `calibration` crops (N, size, size, 3) the arithmetic inside is int8.
    """
    signature = keras.InputSpec(shape=(1, *model.input_shape[1:]), dtype="float32")
    with TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", input_signature=[signature], verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: _one_by_one(calibration)
        return converter.convert()


def _one_by_one(crops: NDArray[np.uint8]) -> Iterator[list[NDArray[np.float32]]]:
    for crop in crops:
        yield [crop[None].astype(np.float32)]
