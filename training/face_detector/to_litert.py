"""From the Keras network to LiteRT for pictures of any size; needs TensorFlow."""

from collections.abc import Iterable, Iterator
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf

from mask_detector.crops import Image
from training.face_detector.network import build_network


class _Double(keras.layers.Layer):
    """Nearest-neighbour enlargement by two without knowing the size, which `UpSampling2D` writes into the file."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.depth_to_space(tf.concat([x] * 4, axis=-1), 2)


def to_litert(weights: list[np.ndarray], pictures: Iterable[Image] = ()) -> bytes:
    """Return the network as a LiteRT file, float32 BGR in and logits out, one picture of any size at a time.

    With `pictures` (BGR) to calibrate with, the arithmetic inside is int8.
    """
    network = build_network(double=_Double)
    network.set_weights(weights)
    signature = keras.InputSpec(shape=(1, None, None, 3), dtype="float32")
    pictures = list(pictures)
    with TemporaryDirectory() as folder:
        network.export(folder, format="tf_saved_model", input_signature=[signature], verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if pictures:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: _one_by_one(pictures)
        return converter.convert()


def _one_by_one(pictures: list[Image]) -> Iterator[list[np.ndarray]]:
    for picture in pictures:
        yield [picture[None].astype(np.float32)]
