"""The settings of the face detector's training: one YAML file becomes frozen dataclasses."""

from dataclasses import dataclass
from pathlib import Path

from training.errors import TrainingError
from training.settings_file import read_settings

DEFAULT_FILE = Path(__file__).with_name("detector.yaml")


@dataclass(frozen=True)
class Data:
    """Where the faces come from, and how far the teacher is believed."""

    root: str
    train: str
    val: str
    test: str
    corrections: str
    start: str
    teacher: str
    teacher_sure: float
    teacher_maybe: float
    masked_scale: float
    unmatched: float
    masked: list[str]
    backgrounds: list[str]
    test_backgrounds: list[str]
    test_clips: list[str]


@dataclass(frozen=True)
class Samples:
    """How training pictures are cut and varied; all from `mosaic` on are probabilities."""

    size: int
    face: list[float]
    smallest: float
    pattern_pictures: int
    drawn_pictures: int
    mosaic: float
    anywhere: float
    drawn: float
    covered: float
    patterns: float
    backgrounds: float
    statues: float
    grey: float
    colour: float
    dark: float
    soft: float
    blur: float
    noise: float
    jpeg: float

    def __post_init__(self) -> None:
        if self.size % 32 or self.size < 64:
            raise TrainingError(
                f"setting 'samples.size' is {self.size}: allowed are multiples of 32 from 64 on"
            )
        if len(self.face) != 2 or not 0 < self.face[0] <= self.face[1]:
            raise TrainingError(f"setting 'samples.face' is {self.face}: allowed is [low, high] in pixels")
        if self.drawn + self.patterns + self.backgrounds + self.statues >= 1:
            raise TrainingError(
                "samples.drawn, patterns, backgrounds and statues leave nothing to real scenes"
            )


@dataclass(frozen=True)
class Train:
    """How long and how fast."""

    epochs: int
    epoch_size: int
    batch_size: int
    rate: float
    weight_decay: float
    averaging: float

    def __post_init__(self) -> None:
        if min(self.epochs, self.epoch_size, self.batch_size) < 1:
            raise TrainingError("settings train.epochs, epoch_size and batch_size must be at least 1")


@dataclass(frozen=True)
class Card:
    """What manifest and model card say."""

    origin: str
    licence: str
    credits: list[str]
    limits: list[str]


@dataclass(frozen=True)
class DetectorConfig:
    """All settings of a run; `detector.yaml` says what each one means."""

    name: str
    seed: int
    data: Data
    samples: Samples
    train: Train
    card: Card

    def __post_init__(self) -> None:
        if self.data.backgrounds and not self.samples.backgrounds:
            raise TrainingError(
                "data.backgrounds is given, but samples.backgrounds is 0: they would not be seen"
            )


def load_detector_config(path: Path = DEFAULT_FILE) -> DetectorConfig:
    """Read the YAML at `path`; raise TrainingError if a key or a value is not as it should be."""
    return read_settings(DetectorConfig, path)
