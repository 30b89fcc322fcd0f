"""Read labelled faces from COCO scenes and from folders of pictures per class.

A picture or a box that cannot be used is refused with its reason and counted, not skipped in
silence: `Refused.report()` is printed and kept beside the result.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import yaml

from mask_detector.model_store import load_manifest
from training.errors import TrainingError
from training.pictures import pictures_below

DROP = "drop"
DROPPED = "dropped by the corrections"
CROWD = "box around a crowd"
NO_BOX = "box is not four numbers"
UNKNOWN_CORRECTION = "correction of a face that is not there"
GUESSED = "class guessed, and confirmed by nobody: export the set, look through it, and import the result"
_NEEDED = (
    ("categories", "name"),
    ("images", "file_name"),
    ("annotations", "image_id"),
    ("annotations", "category_id"),
)
Corrections = dict[int | str, str]


@dataclass(frozen=True)
class Face:
    """One labelled face; `box` is [x, y, width, height] in pixels, None if still to be found."""

    picture: Path
    box: tuple[float, float, float, float] | None
    label: int
    source: str
    name: str


@dataclass
class Refused:
    """What could not be used, by reason."""

    by_reason: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: str, name: str) -> None:
        self.by_reason[reason].append(printable(name))

    def listing(self) -> bytes:
        """Return a line for each name: the reason, a tab and the name."""
        lines = [f"{reason}\t{name}\n" for reason, names in self.by_reason.items() for name in names]
        return "".join(lines).encode()

    def report(self) -> str:
        """Return a line for each reason, with the first names."""
        lines = [
            f"refused {len(names)}: {reason} (such as {', '.join(names[:3])})"
            for reason, names in sorted(self.by_reason.items())
        ]
        return "\n".join(lines) or "refused 0"


def printable(name: str) -> str:
    """Return a file's name as text that can be printed and stored, also where it is not UTF-8."""
    return name.encode(errors="backslashreplace").decode()


def read_corrections(path: Path, name: str) -> Corrections:
    """Return what the list at `path` says of the set `name`: annotation id or picture → class or "drop".

    A set may be called there with or without `.json`.
    """
    try:
        listed = yaml.safe_load(path.read_text()) or {}
        content = listed.get(name) or listed.get(name.removesuffix(".json")) or {}
        mended = {_key(key): label for label, keys in content.items() for key in list(keys or [])}
    except (yaml.YAMLError, ValueError, AttributeError, TypeError) as error:
        raise TrainingError(
            f"{path} is no list of corrections ({error}): see training/corrections.yaml"
        ) from error
    allowed = (*load_manifest().class_ids, DROP)
    if unknown := [label for label in content if label not in allowed]:
        raise TrainingError(f"{path}: '{unknown[0]}' of {name} is none of {', '.join(allowed)}")
    return mended


def _key(key: int | str) -> int | str:
    return int(key) if str(key).isdecimal() else key


def read_scenes(
    path: Path,
    classes: Sequence[str],
    refused: Refused,
    smallest: int = 1,
    corrections: Corrections | None = None,
) -> list[Face]:
    """Read the faces of a COCO file; its pictures lie relative to the file's folder."""
    content = load_coco(path)
    names = {category["id"]: category["name"] for category in content["categories"]}
    pictures = {picture["id"]: picture for picture in content["images"]}
    faces = []
    for number in set(corrections or {}) - {annotation["id"] for annotation in content["annotations"]}:
        refused.add(UNKNOWN_CORRECTION, f"{path.stem}:{number}")
    for annotation in content["annotations"]:
        name = f"{path.stem}:{annotation['id']}"
        label = (corrections or {}).get(annotation["id"], names.get(annotation["category_id"]))
        picture = pictures.get(annotation["image_id"])
        guessed = annotation.get("guessed") and annotation["id"] not in (corrections or {})
        if reason := GUESSED if guessed else _fault(annotation, picture, label, classes, smallest):
            refused.add(reason, name)
            continue
        source = picture.get("contributor", path.stem)
        picture_path, box = path.parent / picture["file_name"], coco_box(annotation)
        faces.append(Face(picture_path, box, classes.index(label), source, name))
    return faces


def coco_box(annotation: dict) -> tuple[float, float, float, float] | None:
    """Return x, y, width and height of an annotation, None if that is not what it has for a box."""
    try:
        x, y, width, height = map(float, annotation["bbox"])
    except (KeyError, TypeError, ValueError):
        return None
    return (x, y, width, height) if isfinite(x + y + width + height) else None


def scene_pictures(path: Path) -> list[Path]:
    """Return the pictures that a COCO file lists, those without a face too."""
    return [path.parent / picture["file_name"] for picture in load_coco(path)["images"]]


def read_folders(
    path: Path, classes: Sequence[str], refused: Refused, corrections: Corrections | None = None
) -> list[Face]:
    """Read a folder with a sub-folder of pictures for each class; their boxes are still to be found."""
    if not path.is_dir():
        raise TrainingError(f"no folder {path}: give one with sub-folders named {', '.join(classes)}")
    folders = sorted(one for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))
    if unknown := [folder.name for folder in folders if folder.name not in classes]:
        raise TrainingError(f"{path} holds '{unknown[0]}', which is no class: use {', '.join(classes)}")
    faces = [face for folder in folders for face in _read_folder(folder, classes, refused, corrections or {})]
    dropped = {name for name, label in (corrections or {}).items() if label == DROP}
    for name in set(corrections or {}) - dropped - {face.name for face in faces}:
        refused.add(UNKNOWN_CORRECTION, f"{path.name}/{name}")
    return faces


def _read_folder(
    folder: Path, classes: Sequence[str], refused: Refused, corrections: Corrections
) -> Iterator[Face]:
    pictures = list(pictures_below(folder))
    if not pictures:
        refused.add("class folder without pictures", str(folder))
    for file in pictures:
        name = printable(f"{folder.name}/{file.relative_to(folder).as_posix()}")
        label = corrections.get(name, folder.name)
        if label == DROP:
            refused.add(DROPPED, name)
        else:
            yield Face(file, None, classes.index(label), folder.parent.name, name)


def require_every_class(labels: Sequence[int], classes: Sequence[str], what: str) -> None:
    """Stop where a class has no face at all."""
    if missing := [name for number, name in enumerate(classes) if number not in set(labels)]:
        raise TrainingError(f"{what} holds no usable face of class {', '.join(missing)}: add pictures of it")


def load_coco(path: Path) -> dict[str, list[dict]]:
    """Read a COCO file whose entries have what is needed; raise TrainingError if it is none."""
    try:
        content = json.loads(path.read_text())
        for kind, needed in _NEEDED:
            for entry in content[kind]:
                entry["id"], entry[needed]  # noqa: B018  (a KeyError tells what is missing)
        for image in content["images"]:
            int(image.get("width") or 0), int(image.get("height") or 0)
        return content
    except OSError as error:
        raise TrainingError(f"cannot read {path}: {error.strerror}; is the data folder right?") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} is no COCO file ({error!r}): export it again as COCO detection"
        ) from error


def _fault(
    annotation: dict, picture: dict | None, label: str | None, classes: Sequence[str], smallest: int
) -> str:
    """Return why an annotation cannot be used, '' if it can."""
    box = coco_box(annotation)
    if picture is None:
        return "box of a picture that is not listed"
    if annotation.get("iscrowd"):
        return CROWD
    if box is None:
        return NO_BOX
    if label == DROP:
        return DROPPED
    if label not in classes:
        return f"class '{label}' is none of {', '.join(classes)}"
    if min(box[2:]) < 1:
        return "box thinner than a pixel"
    if min(box[2:]) < smallest:
        return f"face smaller than {smallest} pixels"
    return ""
