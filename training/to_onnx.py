"""From a Keras model to ONNX that OpenCV 4.6 reads, the oldest one in use (Ubuntu 24.04)."""

from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import onnx
from onnx import numpy_helper

_OPSET = 9  # from 11 on the bounds of Clip are inputs, which OpenCV 4.6 cannot read


def to_onnx(model: keras.Model) -> bytes:
    """Return the model as an ONNX file for one crop at a time, float32 NHWC in and out."""
    shape = (1, *model.input_shape[1:])
    model(np.zeros(shape, np.float32))  # Keras exports only what was called
    signature = keras.InputSpec(shape=shape, dtype="float32")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        options = {"input_signature": [signature], "opset_version": _OPSET, "verbose": False}
        model.export(file, format="onnx", **options)
        content = onnx.load(file)
    _turn_dense_weights(content.graph)
    return content.SerializeToString()


def _turn_dense_weights(graph: onnx.GraphProto) -> None:
    """State dense layers with (outputs, inputs) weights, the only order that OpenCV 4.6 takes with a bias."""
    values = {entry.name: entry for entry in graph.initializer}
    for node in graph.node:
        turned = next((attribute for attribute in node.attribute if attribute.name == "transB"), None)
        if node.op_type == "Gemm" and turned and not turned.i:
            weights = numpy_helper.to_array(values[node.input[1]])
            values[node.input[1]].CopyFrom(numpy_helper.from_array(weights.T.copy(), node.input[1]))
            turned.i = 1
