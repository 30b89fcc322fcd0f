"""Weights between the Keras network and the ONNX file of YuNet 2023mar.

Published weights are read out of that file, and trained ones are written into its graph, so that what
reads YuNet (OpenCV's `FaceDetectorYN` from 4.8 on, this package's `yunet` detector from 4.6 on) reads
ours: the same nodes, the same twelve outputs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import numpy_helper

_HEAD_PARTS = {"cls": slice(0, 1), "bbox": slice(2, 6), "obj": slice(1, 2), "kps": slice(6, 16)}
_LEVELS = 3
_ALL = slice(None)


@dataclass(frozen=True)
class _Place:
    """A convolution of the ONNX graph and the channels of the Keras layer that it stands for."""

    node: onnx.NodeProto
    layer: str
    channels: slice


def read_weights(model: keras.Model, file: Path) -> None:
    """Give the network the weights that stand in an ONNX file of YuNet's layout."""
    graph = onnx.load(file).graph
    values = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    for place in _places(graph):
        layer = model.get_layer(place.layer)
        kernel, bias = layer.get_weights()
        kernel[_kernel_index(layer, place)] = values[place.node.input[1]].transpose(_order(layer))
        bias[place.channels] = values[place.node.input[2]]
        layer.set_weights([kernel, bias])


def write_weights(model: keras.Model, layout: Path) -> bytes:
    """Return the ONNX file at `layout` with the network's weights in place of its own."""
    content = onnx.load(layout)
    entries = {entry.name: entry for entry in content.graph.initializer}
    for place in _places(content.graph):
        layer = model.get_layer(place.layer)
        kernel, bias = layer.get_weights()
        kernel = kernel[_kernel_index(layer, place)].transpose(np.argsort(_order(layer)))
        for name, value in zip(place.node.input[1:], (kernel, bias[place.channels]), strict=True):
            entries[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), name))
    return content.SerializeToString()


def _places(graph: onnx.GraphProto) -> Iterator[_Place]:
    """Pair the convolutions, which stand in the order of computation, with the network's layers."""
    nodes = iter([node for node in graph.node if node.op_type == "Conv"])
    yield _Place(next(nodes), "stem", _ALL)
    blocks = [f"block{block}_{unit}" for block in range(1, 6) for unit in (1, 2)]
    trunk = [(unit, _ALL) for unit in ("stem2", *blocks, "neck2", "neck1", "neck0")]
    heads = [(f"head{level}", part) for part in _HEAD_PARTS.values() for level in range(_LEVELS)]
    for unit, channels in trunk + heads:
        yield _Place(next(nodes), f"{unit}_point", channels)
        yield _Place(next(nodes), f"{unit}_depth", channels)


def _kernel_index(layer: keras.Layer, place: _Place) -> tuple:
    """Return where in the layer's kernel (rows, columns, inputs, outputs) the place's channels stand."""
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return (_ALL, _ALL, place.channels, _ALL)
    return (_ALL, _ALL, _ALL, place.channels)


def _order(layer: keras.Layer) -> tuple[int, ...]:
    """Return the axes that turn an ONNX kernel (outputs, inputs, rows, columns) into the layer's."""
    return (2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (2, 3, 1, 0)
