"""From the Keras network to LiteRT for pictures of any size; needs TensorFlow."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf

from mask_detector.crops import Image
from mask_detector.face_detectors.cells import PARTS
from training.face_detector.network import build_network, unit
from training.quantise import quantised
from training.state import Arrays


class _Double(keras.layers.Layer):
    """Repeat pixels without knowing the size, which `UpSampling2D` would write into the file."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.nn.depth_to_space(tf.concat([x] * 4, axis=-1), 2)


def to_litert(weights: Arrays, pictures: Iterable[Image] = ()) -> bytes:
    """Return the network as a LiteRT file: one BGR picture of any size, float32; nine maps out.

    With `pictures` (BGR) to calibrate with, the arithmetic inside is int8, and so is the input: the bytes of
    the picture less 128. Logits, boxes and landmarks come in maps of their own, for each map has one step of
    quantisation, and logits range far wider than boxes: so far that one step moves a score by 0.07. So the
    last two layers of the logits stay in float.
    """
    network = _in_parts(weights)
    signature = keras.InputSpec(shape=(1, None, None, 3), dtype="float32")
    pictures = list(pictures)
    with TemporaryDirectory() as folder:
        network.export(folder, format="tf_saved_model", input_signature=[signature], verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if not pictures:
            return converter.convert()
        return quantised(converter, lambda: _one_by_one(pictures), _of_logits, tf.int8)


def _of_logits(operations: list[str]) -> list[str]:
    """Return the two operations that end in each map of logits: a named one, and the output after it."""
    named = re.compile(rf"/head\d_point_{PARTS[0].start}_point")
    pairs = pairwise(operations)
    return [name for pair in pairs if named.search(pair[0]) for name in pair]


def _in_parts(weights: Arrays) -> keras.Model:
    """Return the network with a head for each of PARTS in place of each head."""
    whole = build_network(double=_Double)
    whole.set_weights(weights)
    heads = [whole.get_layer(f"head{level}_point") for level in range(len(whole.outputs))]
    parts = [
        unit(head.input, part.stop - part.start, f"{head.name}_{part.start}", None)
        for head in heads
        for part in PARTS
    ]
    network = keras.Model(whole.input, parts)
    for head in heads:
        for part in PARTS:
            _copy(whole, network, head.name, f"{head.name}_{part.start}", part)
    return network


def _copy(whole: keras.Model, network: keras.Model, head: str, name: str, part: slice) -> None:
    kernel, bias = whole.get_layer(head).get_weights()
    network.get_layer(f"{name}_point").set_weights([kernel[..., part], bias[part]])
    kernel, bias = whole.get_layer(head.replace("point", "depth")).get_weights()
    network.get_layer(f"{name}_depth").set_weights([kernel[:, :, part], bias[part]])


def _one_by_one(pictures: list[Image]) -> Iterator[list[np.ndarray]]:
    for picture in pictures:
        values = picture[None].astype(np.float32)
        values[0, 0, :2] = [[0], [255]]  # so that one step of the input is one of its bytes
        yield [values]
