"""Fit the classifier's output for background anew: what it takes for a face, and nothing else about it.

    python -m training.refit --run runs/classifier

A trained network sees more in a picture than its last layer makes of it. That layer's output for background
is fitted once more (last layer re-training, Kirichenko and others, 2022), on more versions of the pictures
without people than training shows, small, compressed, masked, dark, and on faces in the dark and far away.
What the model tells of a face stays the same. It takes minutes; best.keras in the run folder is replaced.
"""

from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from mask_detector.model_store import load_manifest
from training.config import Config
from training.errors import TrainingError
from training.model import logits_of
from training.options import add_settings, settings_for, step_parser, told
from training.prepare import prepared
from training.refit_crops import FACES, LOOKALIKES, OTHERS, crops_by_kind

Floats = NDArray[np.float32]
Seen = dict[str, Floats]

_SHARES = {FACES: 6.0, LOOKALIKES: 0.6, OTHERS: 0.4}  # weight of each kind as a whole
_HOLD = 1e-3  # cost of the squared distance to the weights that were there
_EPOCHS, _BATCH, _RATE = 30, 512, 0.003
_LEAST_STEPS = 600  # of a few pictures there are more epochs
_AT_ONCE = 128  # crops


def refit(config: Config, run: Path) -> None:
    """Replace the run's best model by one whose output for background is fitted anew.

    Raises:
        TrainingError: the run has no model, that has no such output, or no picture without people is named,
            or none in which something looks like a face.
    """
    path = run / "best.keras"
    model = _trained(path, config)
    train, eyes = prepared(config, run, "train"), _eyes(model)
    seen = {kind: _features(eyes, crops) for kind, crops in crops_by_kind(train, config).items()}
    margins = {kind: _margins(model, features) for kind, features in seen.items()}
    keras.utils.set_random_seed(config.seed)
    kernel, bias = _fitted(seen, margins)
    for kind, features in seen.items():
        before, after = margins[kind] > 0, margins[kind] + features @ kernel + bias > 0
        print(f"{kind}: {len(features)} crops, background {before.mean():.4f} -> {after.mean():.4f}")
    _move(model, kernel, bias)
    partial = path.with_name(f"partial.{path.name}")
    model.save(partial, include_optimizer=False)
    partial.replace(path)


def _trained(path: Path, config: Config) -> keras.Model:
    if not config.background.pictures:
        raise TrainingError("background.pictures is empty: name pictures without people, to tell these apart")
    if not path.is_file():
        raise TrainingError(f"{path.parent} holds no best.keras: train first")
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    if model.output_shape[-1] != len(load_manifest().class_ids) + 1:
        raise TrainingError(f"{path} has no output for background: train with background.count above 0")
    return model


def _eyes(model: keras.Model) -> keras.Model:
    """Return what the last layers look at, by view."""
    return keras.Model(model.input, [layer.input for layer in logits_of(model)])


def _features(eyes: keras.Model, crops: Iterable[Image]) -> Floats:
    """Return what is seen of crops (size, size, 3): of all views in one row each."""
    rows, waiting = [], []
    for crop in crops:
        waiting.append(crop)
        if len(waiting) == _AT_ONCE:
            rows.append(_looked_at(eyes, waiting))
            waiting = []
    if waiting:
        rows.append(_looked_at(eyes, waiting))
    if not rows:
        raise TrainingError("nothing in background.pictures looks like a face: there is nothing to fit")
    return np.concatenate(rows)


def _looked_at(eyes: keras.Model, crops: list[Image]) -> Floats:
    views = eyes.predict_on_batch(np.stack(crops).astype(np.float32))
    return np.concatenate(views, axis=1) if isinstance(views, list) else views


def _margins(model: keras.Model, features: Floats) -> Floats:
    """Return by how much the logit of background is above that of all classes together, shape (N,)."""
    layers = logits_of(model)
    kernel, bias = (
        np.concatenate(part) for part in zip(*(layer.get_weights() for layer in layers), strict=True)
    )
    logits = (features @ kernel + bias.reshape(len(layers), -1).sum(axis=0)) / len(layers)
    return logits[:, -1] - np.logaddexp.reduce(logits[:, :-1], axis=1)


def _fitted(seen: Seen, margins: Seen) -> tuple[Floats, np.float32]:
    """Return what to add to the weights of background, shape (features,), and to its bias."""
    features, margin = (np.concatenate(list(part.values())) for part in (seen, margins))
    targets = np.concatenate([np.full(len(seen[kind]), kind != FACES, np.float32) for kind in seen])
    weights = np.concatenate(
        [np.full(len(seen[kind]), _SHARES[kind] / max(len(seen[kind]), 1)) for kind in seen]
    )
    steps = keras.layers.Dense(1, kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(_HOLD))
    inputs = keras.Input(features.shape[1:]), keras.Input((1,))
    learner = keras.Model(inputs, keras.layers.Add()([steps(inputs[0]), inputs[1]]))
    batches = -(-len(features) // _BATCH)
    epochs = max(_EPOCHS, -(-_LEAST_STEPS // batches))
    rate = keras.optimizers.schedules.CosineDecay(_RATE, epochs * batches)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(rate), loss)
    learner.fit(
        [features, margin[:, None]],
        targets[:, None],
        sample_weight=weights * len(weights),
        batch_size=_BATCH,
        epochs=epochs,
        verbose=0,
    )
    kernel, bias = steps.get_weights()
    return kernel[:, 0], bias[0]


def _move(model: keras.Model, kernel: Floats, bias: np.float32) -> None:
    """Add to the weights of background in every view: the mean of the views moves by as much."""
    layers, first = logits_of(model), 0
    for layer in layers:
        own_kernel, own_bias = layer.get_weights()
        last = first + len(own_kernel)
        own_kernel[:, -1] += len(layers) * kernel[first:last]
        own_bias[-1] += bias
        layer.set_weights([own_kernel, own_bias])
        first = last


def main(argv: list[str] | None = None) -> None:
    parser = step_parser(__doc__)
    add_settings(parser)
    options = parser.parse_args(argv)
    with told(parser):
        refit(settings_for(options), options.run)


if __name__ == "__main__":
    main()
