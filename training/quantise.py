"""LiteRT files whose arithmetic is int8, but for the operations where that does harm; needs TensorFlow."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python.util import modify_model_io_type

Samples = Iterator[list[NDArray]]


def quantised(
    converter: tf.lite.TFLiteConverter,
    samples: Callable[[], Samples],
    in_float: Callable[[list[str]], Iterable[str]],
    given: tf.DType = tf.float32,
) -> bytes:
    """Return the converter's model in int8, calibrated with samples of its inputs.

    Args:
        converter: ready to convert in float.
        samples: begins the calibration samples anew.
        in_float: picks the operations that stay in float, from the names of all that can be
            quantised, in their order from the input to the output.
        given: type of the inputs, tf.float32 or tf.int8.
    """
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples
    quantizer = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=lambda: islice(samples(), 1)
    )
    exact = sorted(in_float(_operations(quantizer)))
    quantizer.options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=exact)
    # The quantizer itself knows float inputs alone, whatever the converter was told.
    return modify_model_io_type(quantizer.get_nondebug_quantized_model(), inference_input_type=given)


def _operations(quantizer: tf.lite.experimental.QuantizationDebugger) -> list[str]:
    quantizer.run()
    table = io.StringIO()
    quantizer.layer_statistics_dump(table)
    return [row["tensor_name"] for row in csv.DictReader(io.StringIO(table.getvalue()))]
