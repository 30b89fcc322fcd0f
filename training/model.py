"""The network: ImageNet features and a small head for each view of the crop.

Preprocessing is inside, so every runtime gives it RGB from 0 to 255 and cannot get it wrong.
"""

import keras
import numpy as np
from numpy.typing import NDArray

from training.backbones import backbone, backbones_of, scaling_of
from training.config import ModelConfig
from training.errors import TrainingError
from training.views import viewed

_BATCH = 128  # crops; as floats a thousand of them take 600 MB
_LOGITS = "logits"  # and the number of the view
ALL = "all"  # every layer of the backbone


def build_model(config: ModelConfig, size: int, classes: int) -> keras.Model:
    """Return a model from crops (N, size, size, 3), 0 to 255, to probabilities (N, classes)."""
    inputs = keras.Input((size, size, 3), name="rgb")
    layer = scaling_of(config).layer()
    scaled = layer(inputs) if layer else inputs
    seen = enumerate(viewed(scaled, view) for view in config.views)
    logits = [_logits(pixels, number, config, classes) for number, pixels in seen]
    mean = _mean(logits, classes) if len(logits) > 1 else logits[0]
    return keras.Model(inputs, keras.layers.Softmax(name="probabilities")(mean), name="face_classifier")


def _mean(logits: list[keras.KerasTensor], classes: int) -> keras.KerasTensor:
    """Return the mean as a product: TensorFlow makes a sum for one crop a bias, which OpenCV adds wrongly."""
    layer = keras.layers.Dense(classes, use_bias=False, trainable=False, name="mean")
    mean = layer(keras.layers.Concatenate()(logits))
    layer.set_weights([np.tile(np.eye(classes) / len(logits), (len(logits), 1))])
    return mean


def _logits(pixels: keras.KerasTensor, number: int, config: ModelConfig, classes: int) -> keras.KerasTensor:
    base = backbone(config, number, pixels.shape[1])
    features = base(pixels, training=False)  # its batch statistics stay those of ImageNet: the sets are small
    dropped = keras.layers.Dropout(config.dropout)(_HEADS[config.head](features))
    return keras.layers.Dense(classes, name=f"{_LOGITS}_{number}")(dropped)


def logits_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the last layer of each view."""
    return [layer for layer in model.layers if layer.name.startswith(_LOGITS)]


def learner_of(model: keras.Model) -> keras.Model:
    """Return the same network with the logits of each view as outputs: each is taught by itself.

    Taught as a mean, one view would rely on the other, and both would err alike.
    """
    return keras.Model(model.input, [layer.output for layer in logits_of(model)])


def predicted(model: keras.Model, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the outputs (N, outputs) for crops (N, size, size, 3), few of which are floats at once."""
    batches = (crops[start : start + _BATCH] for start in range(0, len(crops), _BATCH))
    return np.concatenate([model.predict_on_batch(batch.astype(np.float32)) for batch in batches])


def freeze_before(model: keras.Model, layer: str) -> None:
    """Freeze the backbones' layers before the one called `layer`; '' freezes all of them, ALL none."""
    for base in backbones_of(model):
        _freeze_before(base, layer)


def _freeze_before(base: keras.Model, layer: str) -> None:
    names = [part.name for part in base.layers]
    first = {name: number for number, name in enumerate(names)} | {ALL: 0, "": len(names)}
    if layer not in first:
        raise TrainingError(
            f"train.unfreeze_from is '{layer}', no layer of the backbone ({names[0]} to {names[-1]}): "
            f"name one, or {ALL}"
        )
    for number, part in enumerate(base.layers):
        part.trainable = number >= first[layer]


def _pooled(features: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.GlobalAveragePooling2D()(features)


def _classic(features: keras.KerasTensor) -> keras.KerasTensor:
    """The head of the classic projects; maps below 7x7, of crops below 224 px, are averaged as a whole."""
    window = [min(7, side) for side in features.shape[1:3]]
    flat = keras.layers.Flatten()(keras.layers.AveragePooling2D(window)(features))
    return keras.layers.Dense(128, activation="relu")(flat)


_HEADS = {"pooled": _pooled, "classic": _classic}
