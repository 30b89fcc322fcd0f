"""Pictures with labelled faces, as every format is read into and written from."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2

from mask_detector.crops import Image
from mask_detector.errors import ImageError
from mask_detector.frame_sources.pictures import read_picture
from training.data import Refused
from training.errors import TrainingError

UNLABELLED = "unlabelled"  # class of a face that was found but that nobody has named yet
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class LabelledFace:
    """One face: `box` is [x, y, width, height] in pixels; `proposed` if no human has looked at it.

    `guessed` if the class is what a model said: training takes such a face for no label.
    """

    box: Box
    label: str
    proposed: bool = False
    guessed: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture file and its faces.

    `source` is where it came from (a collection, a contributor, a site) and `person` who is on it,
    '' if unknown: what training must not share with validation.
    """

    path: Path
    width: int
    height: int
    faces: tuple[LabelledFace, ...]
    source: str
    person: str = ""


def load_picture(path: Path, refused: Refused) -> Image | None:
    """Return a picture as BGR; one that is missing or unreadable is refused and gives None."""
    if not path.is_file():
        refused.add("picture is missing", str(path))
        return None
    try:
        return read_picture(str(path))
    except ImageError:
        refused.add("picture cannot be read", str(path))
        return None


def fitted(box: Box, width: int, height: int, refused: Refused, name: str) -> Box | None:
    """Return a box cut to its picture; one that is no box there is refused and gives None."""
    x0, y0 = max(box[0], 0.0), max(box[1], 0.0)
    x1, y1 = min(box[0] + box[2], width), min(box[1] + box[3], height)
    if not all(abs(value) < float("inf") for value in box):
        refused.add("box is not made of numbers", name)
    elif box[2] <= 1 or box[3] <= 1:
        refused.add("box of a pixel or less", name)
    elif x1 - x0 <= 1 or y1 - y0 <= 1:
        refused.add("box outside the picture", name)
    else:
        return x0, y0, x1 - x0, y1 - y0
    return None


def write_file(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all: a full disk or a kill leaves what was there before."""
    write_files({path: content})


def write_files(contents: dict[Path, bytes]) -> None:
    """Write files that belong together, all or none: each gets its name when there was room for the last."""
    partials = {path: path.with_name(f".{path.name}.partial") for path in contents}
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(partials[path], "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, partial in partials.items():
            partial.replace(path)
    except OSError as error:
        for partial in partials.values():
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        raise TrainingError(f"cannot write {path}: {error.strerror}; nothing was replaced") from error


def save_picture(path: Path, image: Image) -> None:
    """Write a BGR picture in the format of its suffix, as a whole or not at all."""
    write_file(path, cv2.imencode(path.suffix, image)[1].tobytes())


def require_new(path: Path) -> None:
    """Stop before work is lost over a result that exists."""
    if path.exists():
        raise TrainingError(f"{path} exists: name another place, or move it away first")
