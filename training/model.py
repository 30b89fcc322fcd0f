"""The network: ImageNet features, global average pooling, one dense layer.

Preprocessing is inside, so every runtime gives it RGB from 0 to 255 and cannot get it wrong.
"""

from pathlib import Path

import keras

from training.config import ModelConfig, TrainingError

LOGITS = "logits"
# What the ImageNet weights expect of their input; the V3 networks rescale by themselves.
RESCALING = {"MobileNetV2": (1 / 127.5, -1.0), "MobileNetV3Small": None, "MobileNetV3Large": None}


def build_model(config: ModelConfig, size: int, classes: int) -> keras.Model:
    """Return a model from crops (N, size, size, 3), 0 to 255, to probabilities (N, classes)."""
    inputs = keras.Input((size, size, 3), name="rgb")
    base = _backbone(config, size)
    rescaling = RESCALING[config.backbone]
    scaled = keras.layers.Rescaling(*rescaling)(inputs) if rescaling else inputs
    features = base(scaled, training=False)  # its batch statistics stay those of ImageNet: the sets are small
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    dropped = keras.layers.Dropout(config.dropout)(pooled)
    logits = keras.layers.Dense(classes, name=LOGITS)(dropped)
    return keras.Model(inputs, keras.layers.Softmax(name="probabilities")(logits), name="face_classifier")


def freeze_before(model: keras.Model, layer: str) -> None:
    """Freeze the backbone's layers before the one called `layer`; '' freezes all of them."""
    base = backbone_of(model)
    names = [part.name for part in base.layers]
    if layer and layer not in names:
        raise TrainingError(
            f"train.unfreeze_from is '{layer}', no layer of the backbone ({names[0]} to {names[-1]})"
        )
    first = names.index(layer) if layer else len(names)
    for number, part in enumerate(base.layers):
        part.trainable = number >= first


def backbone_of(model: keras.Model) -> keras.Model:
    """Return the network inside a classifier that gives its features."""
    return next(part for part in model.layers if isinstance(part, keras.Model))


def _backbone(config: ModelConfig, size: int) -> keras.Model:
    if config.backbone not in RESCALING:
        raise TrainingError(f"model.backbone is '{config.backbone}': choose one of {', '.join(RESCALING)}")
    from_keras = "imagenet" if config.weights == "imagenet" else None
    make = getattr(keras.applications, config.backbone)
    base = make(input_shape=(size, size, 3), alpha=config.width, include_top=False, weights=from_keras)
    if config.weights not in ("imagenet", "none"):
        _load(base, Path(config.weights))
    return base


def _load(base: keras.Model, path: Path) -> None:
    if not path.is_file():
        raise TrainingError(f"no weights file {path}: give one, or imagenet, or none, as --weights")
    try:
        if path.suffix == ".keras":  # a classifier trained before, whatever its head
            base.set_weights(backbone_of(keras.saving.load_model(path, compile=False)).get_weights())
        else:
            base.load_weights(path)
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} does not hold weights of {base.name}: {error}") from error
