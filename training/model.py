"""The network: ImageNet features and a small head.

Preprocessing is inside, so every runtime gives it RGB from 0 to 255 and cannot get it wrong.
"""

import keras

from training.backbones import backbone, backbone_of
from training.config import ModelConfig, TrainingError

LOGITS = "logits"
ALL = "all"  # every layer of the backbone


def build_model(config: ModelConfig, size: int, classes: int) -> keras.Model:
    """Return a model from crops (N, size, size, 3), 0 to 255, to probabilities (N, classes)."""
    inputs = keras.Input((size, size, 3), name="rgb")
    base, scaling = backbone(config, size)
    layer = scaling.layer()
    scaled = layer(inputs) if layer else inputs
    features = base(scaled, training=False)  # its batch statistics stay those of ImageNet: the sets are small
    dropped = keras.layers.Dropout(config.dropout)(_HEADS[config.head](features))
    logits = keras.layers.Dense(classes, name=LOGITS)(dropped)
    return keras.Model(inputs, keras.layers.Softmax(name="probabilities")(logits), name="face_classifier")


def freeze_before(model: keras.Model, layer: str) -> None:
    """Freeze the backbone's layers before the one called `layer`; '' freezes all of them, ALL none."""
    base = backbone_of(model)
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
    return keras.layers.Dense(128, activation="relu", name="dense")(flat)


_HEADS = {"pooled": _pooled, "classic": _classic}
