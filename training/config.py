"""The settings of a training run: one YAML file becomes frozen dataclasses.

A key that nobody reads or a value out of range stops the run before it starts, since a typing
error that silently falls back to a default costs an afternoon of training.
"""

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import yaml

from mask_detector.model_store import load_manifest
from training.formats.base import write_file
from training.masks import WAYS
from training.settings_file import read_settings, require

_NAME = r"\w[\w.-]*"  # of the model's files
HEADS = ("pooled", "classic")
DEFAULT_FILE = Path(__file__).with_name("classifier.yaml")


@dataclass(frozen=True)
class SetConfig:
    """One set of labelled faces: COCO files, and folders with a sub-folder of pictures for each class."""

    scenes: list[str]
    folders: list[str]


@dataclass(frozen=True)
class DataConfig:
    """Where the faces come from; the paths in the sets are relative to `root`."""

    root: str
    train: SetConfig
    val: SetConfig
    test: SetConfig
    corrections: str
    face_detector: str
    folder_weight: dict[str, float]
    smallest_side: int

    def __post_init__(self) -> None:
        _require_classes("data.folder_weight", self.folder_weight)
        for name, weight in self.folder_weight.items():
            above = isinstance(weight, int | float) and 0 < weight < inf
            require(above, f"data.folder_weight.{name}", weight, "a number above 0")
        require(self.smallest_side >= 0, "data.smallest_side", self.smallest_side, "0 or more")


@dataclass(frozen=True)
class SynthesisConfig:
    """How many masks are drawn onto bare faces; `ways` gives each way of wearing its class."""

    count: int
    weight: float
    bare: str
    ways: dict[str, str]

    def __post_init__(self) -> None:
        require(self.count >= 0, "synthesis.count", self.count, "0 or more")
        require(0 < self.weight < inf, "synthesis.weight", self.weight, "above 0")
        _require_classes("synthesis.bare", [self.bare])
        _require_classes("synthesis.ways", self.ways.values())
        for way in self.ways:
            require(way in WAYS, "synthesis.ways", way, ", ".join(WAYS))
        require(bool(self.ways) or not self.count, "synthesis.ways", self.ways, "at least one way")


@dataclass(frozen=True)
class BackgroundConfig:
    """What is no face: how many crops are cut where nobody is, and their share of what is drawn.

    `pictures` are those without people: folders, or names with wildcards, relative to the data's root.
    """

    count: int
    share: float
    pictures: list[str]

    def __post_init__(self) -> None:
        require(self.count >= 0, "background.count", self.count, "0 or more")
        require(0 <= self.share < 1, "background.share", self.share, "0 to below 1")
        used = bool(self.count) or not self.pictures
        require(used, "background.count", self.count, "above 0, for there are background.pictures")


@dataclass(frozen=True)
class Teacher:
    """A trained model whose scores are learnt; `margin` is that of the crops it was trained on."""

    model: str
    margin: float


@dataclass(frozen=True)
class DistilConfig:
    """Learn the mean scores of `teachers`; `share` is their part of the target, the labels are the rest."""

    teachers: list[Teacher]
    share: float

    def __post_init__(self) -> None:
        require(0 <= self.share <= 1, "distil.share", self.share, "0 to 1")


@dataclass(frozen=True)
class CropConfig:
    """What the classifier sees: a square of `margin` times the box's longer side."""

    size: int
    margin: float
    outer: float

    def __post_init__(self) -> None:
        require(32 <= self.size <= 512, "crops.size", self.size, "32 to 512")
        require(0.5 <= self.margin <= 3, "crops.margin", self.margin, "0.5 to 3")
        require(1 <= self.outer <= 3, "crops.outer", self.outer, "1 to 3")

    @property
    def outer_size(self) -> int:
        """Side in pixels of the larger crop that augmentation cuts from; its centre is the runtime crop."""
        return 2 * round(self.size * self.outer / 2)

    @property
    def outer_margin(self) -> float:
        return self.margin * self.outer_size / self.size


@dataclass(frozen=True)
class View:
    """The middle `part` of a crop's side, made `shrink` times smaller; see `training.views`."""

    part: float
    shrink: int

    def __post_init__(self) -> None:
        require(0 < self.part <= 1, "model.views.part", self.part, "above 0, up to 1")
        require(self.shrink >= 1, "model.views.shrink", self.shrink, "at least 1")

    def window(self, side: int) -> int:
        """Return how many of `side` pixels it takes; the border is alike on both sides."""
        return side - 2 * round((1 - self.part) * side / 2)


@dataclass(frozen=True)
class ModelConfig:
    """The network: for each view a Keras application and a small head; their mean is the answer."""

    backbone: str
    width: float
    weights: list[str]
    views: list[View]
    head: str
    dropout: float

    def __post_init__(self) -> None:
        require(bool(self.views), "model.views", self.views, "at least one view")
        fitting = len(self.weights) in (1, len(self.views))
        require(fitting, "model.weights", self.weights, "one for all views, or one for each")
        require(self.width > 0, "model.width", self.width, "above 0")
        require(self.head in HEADS, "model.head", self.head, " or ".join(HEADS))
        require(0 <= self.dropout < 1, "model.dropout", self.dropout, "0 to below 1")


@dataclass(frozen=True)
class AugmentConfig:
    """How far training crops are varied; the last block are probabilities."""

    rotation: float
    scale: list[float]
    shift: float
    colour: float
    dark: float
    blur: float
    small: float
    jpeg: float
    noise: float
    occlusion: float
    neighbour: float
    mixup: float

    def __post_init__(self) -> None:
        ordered = len(self.scale) == 2 and 0 < self.scale[0] <= 1 <= self.scale[1]
        require(ordered, "augment.scale", self.scale, "[low, high] around 1")
        require(0 <= self.rotation <= 180, "augment.rotation", self.rotation, "0 to 180 degrees")
        require(0 <= self.shift <= 1, "augment.shift", self.shift, "0 to 1")
        for name in ("colour", "dark", "blur", "small", "jpeg", "noise", "occlusion", "neighbour", "mixup"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"augment.{name}", value, "a probability")


@dataclass(frozen=True)
class TrainConfig:
    """The two phases: the head on a frozen base, then the base from layer `unfreeze_from` on."""

    head_epochs: int
    epochs: int
    epoch_size: int
    batch_size: int
    head_rate: float
    rate: float
    weight_decay: float
    label_smoothing: float
    class_balance: float
    averaging: float
    keep: float
    unfreeze_from: str
    patience: int

    def __post_init__(self) -> None:
        for name in ("epochs", "epoch_size", "batch_size", "patience"):
            value = getattr(self, name)
            require(value >= 1, f"train.{name}", value, "at least 1")
        for name in ("rate", "head_rate"):
            value = getattr(self, name)
            require(0 < value < inf, f"train.{name}", value, "above 0")
        require(0 <= self.weight_decay < inf, "train.weight_decay", self.weight_decay, "0 or more")
        require(0 <= self.label_smoothing < 1, "train.label_smoothing", self.label_smoothing, "0 to below 1")
        require(0 <= self.head_epochs < self.epochs, "train.head_epochs", self.head_epochs, "below epochs")
        require(0 <= self.class_balance <= 1, "train.class_balance", self.class_balance, "0 to 1")
        require(0 <= self.averaging < 1, "train.averaging", self.averaging, "0 to below 1")
        require(0 <= self.keep < 1, "train.keep", self.keep, "0 to below 1")


@dataclass(frozen=True)
class CardConfig:
    """What manifest and model card say: sources with their licences, and what the model cannot do."""

    credits: list[str]
    limits: list[str]


@dataclass(frozen=True)
class Config:
    """All settings of a run; `classifier.yaml` says what each one means."""

    name: str
    seed: int
    data: DataConfig
    synthesis: SynthesisConfig
    background: BackgroundConfig
    crops: CropConfig
    model: ModelConfig
    augment: AugmentConfig
    distil: DistilConfig
    train: TrainConfig
    card: CardConfig

    def __post_init__(self) -> None:
        require(bool(re.fullmatch(_NAME, self.name)), "name", self.name, "letters, digits, _ - and .")
        require(self.seed >= 0, "seed", self.seed, "0 or more")

    def save(self, path: Path) -> None:
        write_file(path, yaml.safe_dump(dataclasses.asdict(self), sort_keys=False).encode())


def _require_classes(where: str, names: Iterable[str]) -> None:
    classes = load_manifest().class_ids
    for name in names:
        require(name in classes, where, name, ", ".join(classes))


def load_config(path: Path = DEFAULT_FILE, **replaced: Any) -> Config:
    """Read the YAML at `path`; `replaced` gives values by dotted name, as `data__root="pictures"`.

    With a key `base`, a file beside it, only what differs from that one need be given.

    Raises:
        TrainingError: the file, a key or a value is not as it should be.
    """
    config = read_settings(Config, path)
    for dotted, value in replaced.items():
        section, key = dotted.split("__")
        part = dataclasses.replace(getattr(config, section), **{key: value})
        config = dataclasses.replace(config, **{section: part})
    return config
