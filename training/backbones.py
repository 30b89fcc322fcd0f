"""The applications of Keras by name, with their ImageNet weights and the colours that they expect."""

import inspect
import sys
from pathlib import Path
from typing import Any

import keras

from training.colours import Scaling
from training.config import ModelConfig
from training.errors import TrainingError

IMAGENET, NONE = "imagenet", "none"


def backbone(config: ModelConfig, number: int, size: int) -> keras.Model:
    """Return the network of view `number` without its top, for inputs (N, size, size, 3).

    Raises:
        TrainingError: there is no such application or width, or the weights cannot be had or do not fit.
    """
    make = _application(config.backbone)
    weights = config.weights[number % len(config.weights)]
    options = {"include_top": False, "input_shape": (size, size, 3), **_width(make, config)}
    try:
        base = make(weights=IMAGENET if weights == IMAGENET else None, name=f"view_{number}", **options)
    except Exception as error:  # a download that fails is a bare Exception
        raise TrainingError(
            f"{_named(config, weights)} at {size} px cannot be made: {_line(error)}"
        ) from error
    if weights not in (IMAGENET, NONE):
        _load(base, Path(weights), number, config)
    return base


def scaling_of(config: ModelConfig) -> Scaling:
    """Return what the network expects in place of RGB from 0 to 255."""
    make = _application(config.backbone)
    return Scaling.of(sys.modules[make.__module__].preprocess_input)


def backbones_of(model: keras.Model) -> list[keras.Model]:
    """Return the networks inside a classifier that give its features, one for each view."""
    return [part for part in model.layers if isinstance(part, keras.Model)]


def _application(name: str) -> Any:
    known = [name for name, part in vars(keras.applications).items() if inspect.isfunction(part)]
    if name not in known:
        raise TrainingError(f"model.backbone is '{name}': choose one of {', '.join(sorted(known))}")
    return getattr(keras.applications, name)


def _width(make: Any, config: ModelConfig) -> dict[str, float]:
    if "alpha" in inspect.signature(make).parameters:
        return {"alpha": config.width}
    if config.width != 1:
        raise TrainingError(f"model.width is {config.width}, but {config.backbone} has no widths: set 1.0")
    return {}


def _load(base: keras.Model, path: Path, number: int, config: ModelConfig) -> None:
    if not path.is_file():
        raise TrainingError(f"no weights file {path}: give one, or {IMAGENET}, or {NONE}, as --weights")
    try:
        if path.suffix == ".keras":  # a classifier trained before, whatever its head
            trained = backbones_of(keras.saving.load_model(path, compile=False))
            base.set_weights(trained[number % len(trained)].get_weights())
        else:
            base.load_weights(path)
    except (OSError, ValueError, KeyError, ZeroDivisionError) as error:
        named = _named(config, str(path))
        raise TrainingError(f"{path} does not hold the weights of {named}: {_line(error)}") from error


def _named(config: ModelConfig, weights: str) -> str:
    return f"{config.backbone}, width {config.width}, weights '{weights}'"


def _line(error: Exception) -> str:
    return f"{' '.join(str(error).split()):.300}"
