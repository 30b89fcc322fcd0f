"""The same network with channels of like range, which is what int8 arithmetic needs.

An output has one step of quantisation for all its channels, so that a channel a tenth as wide as the widest
keeps 25 of the 256 steps. In a unit of the network nothing lies between the 1×1 convolution and that of each
channel alone, whose weights have steps of their own: the channels between the two can all be made as wide as
the widest, and the weights behind them smaller by as much. It is the cross-layer equalisation of Nagel et al.
2019 (arXiv:1906.04721) where it costs nothing.
"""

from collections.abc import Iterable

import keras
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from training.face_detector.network import build_network
from training.state import Arrays

_NARROWEST = 0.01  # of the widest channel; what is narrower is treated as if it were so wide


def equalised(weights: Arrays, pictures: Iterable[Image]) -> Arrays:
    """Return weights of `build_network` that compute the same with channels of like range.

    Args:
        weights: of the network.
        pictures: BGR, sides multiples of 32, to see the ranges on.
    """
    network = build_network()
    network.set_weights(weights)
    for name, ranges in _ranges(network, pictures).items():
        wider = ranges.max() / np.maximum(ranges, _NARROWEST * ranges.max())
        point, depth = (network.get_layer(f"{name}_{half}") for half in ("point", "depth"))
        kernel, bias = point.get_weights()  # (1, 1, before, channels)
        point.set_weights([kernel * wider, bias * wider])
        kernel, bias = depth.get_weights()  # (3, 3, channels, 1)
        depth.set_weights([kernel / wider[:, None], bias])
    return network.get_weights()


def _ranges(network: keras.Model, pictures: Iterable[Image]) -> dict[str, NDArray[np.float32]]:
    """Return the largest absolute values of the channels between the halves of each unit, by its name."""
    points = [layer for layer in network.layers if layer.name.endswith("_point")]
    probe = keras.Model(network.input, {layer.name.removesuffix("_point"): layer.output for layer in points})
    largest: dict[str, NDArray[np.float32]] = {}
    for picture in pictures:
        for name, output in probe(picture[None].astype(np.float32)).items():
            seen = np.abs(keras.ops.convert_to_numpy(output)).max(axis=(0, 1, 2))
            largest[name] = np.maximum(largest.get(name, 0), seen)
    return largest
