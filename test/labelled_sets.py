"""Sets of labelled pictures for tests, made on the spot, and the command that works on them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mask_detector.model_store import load_manifest
from training.data import Refused
from training.dataset import main
from training.formats import coco
from training.formats.base import LabelledFace, Picture

MASK, IMPROPER, NO_MASK = load_manifest().class_ids


def blots(seed: int, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """Return a picture of (width, height) unlike those of other seeds."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)


def save(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def stored(path: Path) -> list[Picture]:
    return coco.read(path, Refused())


def refused_by(path: Path) -> dict[str, str]:
    """Return the reason of each refused name, by the last part of it."""
    lines = (line.split("\t") for line in path.read_text().splitlines())
    return {name.rpartition("/")[2]: reason for reason, name in lines}


def a_set(folder: Path, *labels: str, source: str = "mine", start: int = 0) -> Path:
    """Write a COCO set with a picture and a face for each label, and a last picture without a face."""
    pictures = []
    for number, label in enumerate((*labels, "")):
        path = save(folder / source / f"{number}.png", blots(start + number))
        faces = (LabelledFace((10.4 + number, 20.6, 40.2, 50.3), label),) if label else ()
        pictures.append(Picture(path, 160, 120, faces, source, f"{source}-{number // 2}"))
    coco.write(folder / f"{source}.json", pictures)
    return folder / f"{source}.json"


def fail(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert end.value.code == 2
    return capsys.readouterr().err


def run(*arguments: object) -> None:
    main([str(argument) for argument in arguments])


def voc_file(
    path: Path,
    picture: str,
    *objects: tuple[str, tuple[int, int, int, int]],
    size: tuple[int, int] | None = None,
) -> None:
    entries = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{box[0]}</xmin><ymin>{box[1]}</ymin>"
        f"<xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox></object>"
        for name, box in objects
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    stated = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""
    path.write_text(f"<annotation><filename>{picture}</filename>{stated}{entries}</annotation>")
