"""Lay a set out for labelling by hand: copies of the pictures, with boxes as another tool reads them."""

import shutil
from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from mask_detector.model_store import load_manifest
from training.data import printable
from training.errors import TrainingError
from training.formats import voc, yolo
from training.formats.base import UNLABELLED, Picture, require_new
from training.sources import write_sources

FORMATS = ("labelimg", "voc", "yolo")
_OTHERS = {"classes"}  # a file beside the labels is called so


def export(pictures: Sequence[Picture], folder: Path, kind: str) -> None:
    """Write a new folder in one of FORMATS; it appears when it is complete.

    `sources.csv` in it keeps source and person, so that importing it again loses nothing.
    """
    require_new(folder)
    partial = folder.with_name(f".{folder.name}.partial") / folder.name
    shutil.rmtree(partial.parent, ignore_errors=True)
    try:
        copies = _copied(pictures, partial / ("images" if kind == "yolo" else "."))
        _WRITERS[kind](copies, partial)
        _write_sources(copies, partial)
        partial.replace(folder)
    except OSError as error:
        raise TrainingError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial.parent, ignore_errors=True)


def _copied(pictures: Sequence[Picture], folder: Path) -> list[tuple[Picture, Path]]:
    """Copy the pictures, those of the same name under numbered ones."""
    folder.mkdir(parents=True)
    stems = [printable(picture.path.stem).replace("\\", "_") for picture in pictures]
    taken = {stem for stem, times in Counter(stems).items() if times == 1} - _OTHERS
    copies = []
    for picture, stem in zip(pictures, stems, strict=True):
        name = stem if stem in taken else _free(stem, taken)
        copies.append((picture, folder / f"{name}{picture.path.suffix}"))
        shutil.copyfile(picture.path, copies[-1][1])
    return copies


def _free(stem: str, taken: set[str]) -> str:
    """Return the stem with the first number that makes it a new one, and take it."""
    name = next(name for number in count(1) if (name := f"{stem}_{number}") not in taken)
    taken.add(name)
    return name


def _labelimg(copies: list[tuple[Picture, Path]], folder: Path) -> None:
    """One folder to open in LabelImg: XML beside each picture, and the classes to choose from."""
    voc.write(copies)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in load_manifest().class_ids))


def _voc(copies: list[tuple[Picture, Path]], folder: Path) -> None:
    """The folders of Pascal VOC."""
    voc.write(copies)
    for name, suffixes in (("Annotations", {".xml"}), ("JPEGImages", {path.suffix for _, path in copies})):
        (folder / name).mkdir()
        for path in [path for path in folder.iterdir() if path.suffix in suffixes]:
            path.replace(folder / name / path.name)
    copies[:] = [(picture, folder / "JPEGImages" / path.name) for picture, path in copies]


def _yolo(copies: list[tuple[Picture, Path]], folder: Path) -> None:
    """Pictures in `images`, text files in `labels`."""
    yolo.write(copies, [*load_manifest().class_ids, UNLABELLED], folder)


_WRITERS = {"labelimg": _labelimg, "voc": _voc, "yolo": _yolo}


def _write_sources(copies: list[tuple[Picture, Path]], folder: Path) -> None:
    rows = [
        {
            "file": path.relative_to(folder).as_posix(),
            "source": printable(picture.source),
            "person": picture.person,
            "original": printable(str(picture.path.resolve())),
        }
        for picture, path in copies
    ]
    write_sources(rows, ["file", "source", "person", "original"], folder)
