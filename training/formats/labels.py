"""Translate the class names of other collections into ours; an unknown one stops, since a guess would lie."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import yaml

from mask_detector.model_store import load_manifest
from training.data import DROP, Refused
from training.errors import TrainingError
from training.formats.base import UNLABELLED, LabelledFace, Picture
from training.formats.unboxed import Unboxed


def parse_map(pairs: Sequence[str]) -> dict[str, str]:
    """Return what `NAME=CLASS` says for each NAME; CLASS is one of ours, or `drop`."""
    allowed = (*load_manifest().class_ids, UNLABELLED, DROP)
    mapped = {}
    for pair in pairs:
        name, _, label = pair.rpartition("=")
        if not name or label not in allowed:
            raise TrainingError(f"--map '{pair}': write NAME=CLASS, with CLASS one of {', '.join(allowed)}")
        mapped[_plain(name)] = label
    return mapped


def named(pictures: Sequence[Picture], mapped: dict[str, str], refused: Refused) -> list[Picture]:
    """Return pictures whose faces have our classes; `mapped` goes before the names that are known."""
    classes = _classes({face.label for picture in pictures for face in picture.faces}, mapped)
    return [replace(picture, faces=_renamed(picture, classes, refused)) for picture in pictures]


def named_whole(unboxed: Sequence[Unboxed], mapped: dict[str, str], refused: Refused) -> list[Unboxed]:
    """Return pictures without boxes that have our classes; see `named`."""
    _require_shallow(unboxed, _known() | mapped)
    classes = _classes({one.label for one in unboxed}, mapped)
    for one in unboxed:
        if classes[one.label] == DROP:
            refused.add(f"'{one.label}' is mapped to drop", str(one.path))
    return [replace(one, label=label) for one in unboxed if (label := classes[one.label]) != DROP]


def _require_shallow(unboxed: Sequence[Unboxed], names: dict[str, str]) -> None:
    """Tell of folders such as Train/WithMask, of which the upper one was taken for the class."""
    unknown = [one.path.parent for one in unboxed if _plain(one.label) not in names]
    if deeper := sorted({str(folder.parent) for folder in unknown if _plain(folder.name) in names}):
        raise TrainingError(f"the classes are a folder further down: import each of {', '.join(deeper)}")


def _classes(found: set[str], mapped: dict[str, str]) -> dict[str, str]:
    """Return our class for each name found; raise TrainingError that lists all the unknown ones."""
    names = _known() | mapped
    if unknown := sorted(name for name in found if _plain(name) not in names):
        hint = " ".join(f"'{name}=CLASS'" for name in unknown)
        listed = ", ".join(f"'{name}'" for name in unknown)
        classes = ", ".join(load_manifest().class_ids)
        raise TrainingError(
            f"no class is known for {listed}: add --map {hint} with one of {classes}, or drop"
        )
    return {name: names[_plain(name)] for name in found}


def _renamed(picture: Picture, classes: dict[str, str], refused: Refused) -> tuple[LabelledFace, ...]:
    for face in picture.faces:
        if classes[face.label] == DROP:
            refused.add(f"'{face.label}' is mapped to drop", picture.path.name)
    kept = (face for face in picture.faces if classes[face.label] != DROP)
    return tuple(replace(face, label=classes[face.label]) for face in kept)


def _plain(name: str) -> str:
    return "_".join(name.strip().lower().replace("-", " ").replace("_", " ").split())


@cache
def _known() -> dict[str, str]:
    content = yaml.safe_load(Path(__file__).with_name("labels.yaml").read_text())
    names = {name: label for label, listed in content.items() for name in listed}
    return names | {label: label for label in (*load_manifest().class_ids, UNLABELLED)}
