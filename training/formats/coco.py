"""COCO JSON, the one format inside the project: `training.data` trains from it.

Pictures are named relative to the file's folder. An image's `contributor` is its source and
`person` who is on it; an annotation's `proposed` tells that no human has looked at it, and `guessed`
that its class is what a model said.
"""

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mask_detector.model_store import load_manifest
from training.data import CROWD, NO_BOX, Refused, coco_box, load_coco
from training.errors import TrainingError
from training.formats.base import UNLABELLED, LabelledFace, Picture, fitted, load_picture, write_file
from training.formats.sizes import at_real_size


def read(path: Path, refused: Refused) -> list[Picture]:
    """Read a set of the project; raise TrainingError if its classes are not ours."""
    content = load_coco(path)
    used = {entry["category_id"] for entry in content["annotations"]}
    ours = {*load_manifest().class_ids, UNLABELLED}
    if foreign := {one["name"] for one in content["categories"] if one["id"] in used} - ours:
        told = f"{path} has the classes {', '.join(sorted(map(str, foreign)))}, which are not ours"
        raise TrainingError(f"{told}: import it first (python -m training.dataset import coco)")
    return _pictures(content, path, path.parent, False, refused)


def read_foreign(path: Path, refused: Refused, pictures: Path | None = None) -> list[Picture]:
    """Read a COCO file of any origin: pictures lie relative to it, or in the folder `pictures`.

    Each is opened, for its size may not be the stated one.
    """
    return _pictures(load_coco(path), path, pictures or path.parent, True, refused)


def _pictures(content: dict, path: Path, folder: Path, opened: bool, refused: Refused) -> list[Picture]:
    names = {category["id"]: str(category["name"]) for category in content["categories"]}
    known = {image["id"] for image in content["images"]}
    entries = defaultdict(list)
    for annotation in content["annotations"]:
        if annotation["image_id"] not in known:
            refused.add("box of a picture that is not listed", f"{path.name}:{annotation['id']}")
        entries[annotation["image_id"]].append(annotation)
    read = (
        _picture(image, entries[image["id"]], names, path, folder, opened, refused)
        for image in content["images"]
    )
    return [picture for picture in read if picture]


def write(path: Path, pictures: Sequence[Picture]) -> None:
    """Write pictures as one COCO file; the files themselves stay where they are."""
    classes = [*load_manifest().class_ids, UNLABELLED]
    used = classes if _labels(pictures) - set(classes[:-1]) else classes[:-1]
    content: dict[str, list[dict[str, Any]]] = {
        "categories": [{"id": number, "name": name} for number, name in enumerate(used, 1)],
        "images": [],
        "annotations": [],
    }
    for picture in pictures:
        image = _image(picture, len(content["images"]) + 1, path.parent)
        content["images"].append(image)
        for face in picture.faces:
            number = len(content["annotations"]) + 1
            content["annotations"].append(_annotation(face, number, image["id"], used))
    write_file(path, json.dumps(content, indent=1).encode())


def _labels(pictures: Sequence[Picture]) -> set[str]:
    return {face.label for picture in pictures for face in picture.faces}


def _image(picture: Picture, number: int, folder: Path) -> dict[str, Any]:
    name = Path(os.path.relpath(picture.path, folder)).as_posix()  # of a link, not of what it leads to
    image = {"id": number, "file_name": name, "width": picture.width, "height": picture.height}
    return image | {"contributor": picture.source} | ({"person": picture.person} if picture.person else {})


def _annotation(face: LabelledFace, number: int, image: int, classes: Sequence[str]) -> dict[str, Any]:
    box = [round(value, 2) for value in face.box]
    area = round(face.box[2] * face.box[3], 2)
    entry = {"id": number, "image_id": image, "category_id": classes.index(face.label) + 1}
    entry |= {"bbox": box, "area": area, "iscrowd": 0}
    return entry | {mark: True for mark in ("proposed", "guessed") if getattr(face, mark)}


def _picture(
    image: dict, entries: list[dict], names: dict, path: Path, folder: Path, opened: bool, refused: Refused
) -> Picture | None:
    file = folder / str(image["file_name"]).replace("\\", "/")
    stated = real = _stated(image)
    if opened or not (all(stated) and file.is_file()):
        picture = load_picture(file, refused)
        if picture is None:
            return None
        real = picture.shape[1::-1]
    usable = [entry for entry in entries if _is_usable(entry, names, refused, f"{path.name}:{entry['id']}")]
    boxes = at_real_size([coco_box(entry) for entry in usable], stated, real, refused, str(file))
    if boxes is None:
        return None
    faces = [
        LabelledFace(
            cut, names[entry["category_id"]], bool(entry.get("proposed")), bool(entry.get("guessed"))
        )
        for entry, box in zip(usable, boxes, strict=True)
        if (cut := fitted(box, *real, refused, f"{path.name}:{entry['id']}"))
    ]
    source = str(image.get("contributor", path.stem))
    return Picture(file, *real, tuple(faces), source, str(image.get("person", "")))


def _stated(image: dict) -> tuple[int, int]:
    return int(image.get("width") or 0), int(image.get("height") or 0)


def _is_usable(entry: dict, names: dict, refused: Refused, name: str) -> bool:
    if entry["category_id"] not in names:
        refused.add("class number that the file does not name", name)
    elif entry.get("iscrowd"):
        refused.add(CROWD, name)
    elif not coco_box(entry):
        refused.add(NO_BOX, name)
    else:
        return True
    return False
