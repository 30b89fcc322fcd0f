"""The face detector's network: YuNet's, in Keras, of any width.

Separable convolutions whose halves have no activation between them, max pooling, a small top-down
path, and at three strides one head of sixteen channels: logits of a face and of its centre, box
(4) and five landmarks (10), relative to the cell and in units of its stride. It is fully
convolutional; sides must be multiples of 32.
"""

from collections.abc import Callable

import keras
from keras import layers

STRIDES = (8, 16, 32)
HEAD_CHANNELS = 16
YUNET_WIDTHS = (16, 16, 32, 64, 64, 64, 64)  # stem and first block, blocks 1 and 2, then strides 8 to 32, 64


def _enlarging() -> keras.Layer:
    return layers.UpSampling2D(2, interpolation="nearest")


def build_network(
    widths: tuple[int, ...] = YUNET_WIDTHS,
    pixels: int | None = None,
    double: Callable[[], keras.Layer] = _enlarging,
) -> keras.Model:
    """Return the network: BGR (batch, height, width, 3), 0 to 255 → one map (…, 16) for each stride.

    Args:
        widths: channels of the stem and of the six blocks.
        pixels: side of a square input; any side if None.
        double: makes layers that repeat each pixel twice in both directions.
    """
    image = keras.Input((pixels, pixels, 3), name="image")
    x = layers.ZeroPadding2D(1)(image)  # torch pads both sides, "same" only one
    x = layers.Conv2D(widths[0], 3, strides=2, activation="relu", name="stem")(x)
    x = layers.MaxPooling2D(2)(unit(x, widths[0], "stem2"))
    x = _block(_block(x, widths[0], widths[2], 1), widths[2], widths[3], 2)
    fine = _block(layers.MaxPooling2D(2)(x), widths[3], widths[4], 3)
    middle = _block(layers.MaxPooling2D(2)(fine), widths[4], widths[5], 4)
    coarse = _block(layers.MaxPooling2D(2)(middle), widths[5], widths[6], 5)
    coarse = unit(coarse, widths[5], "neck2")
    middle = unit(layers.Add()([middle, double()(coarse)]), widths[4], "neck1")
    fine = unit(layers.Add()([fine, double()(middle)]), widths[4], "neck0")
    heads = [unit(x, HEAD_CHANNELS, f"head{level}", None) for level, x in enumerate((fine, middle, coarse))]
    return keras.Model(image, heads)


def _block(x: keras.KerasTensor, inner: int, outer: int, number: int) -> keras.KerasTensor:
    return unit(unit(x, inner, f"block{number}_1"), outer, f"block{number}_2")


def unit(
    x: keras.KerasTensor, channels: int, name: str, activation: str | None = "relu"
) -> keras.KerasTensor:
    """Return a 1×1 convolution followed by a 3×3 one of each channel alone."""
    x = layers.Conv2D(channels, 1, name=f"{name}_point")(x)
    return layers.DepthwiseConv2D(3, padding="same", activation=activation, name=f"{name}_depth")(x)
