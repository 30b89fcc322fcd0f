"""COCO JSON, the one format inside the project: `training.data` trains from it.

Pictures are named relative to the file's folder. An image's `contributor` is its source and
`person` who is on it; an annotation's `proposed` tells that no human has looked at it.
"""

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mask_detector.model_store import load_manifest
from training.data import Refused
from training.errors import TrainingError
from training.formats.base import UNLABELLED, LabelledFace, Picture, fitted, load_picture, write_file


def read(path: Path, refused: Refused, pictures: Path | None = None) -> list[Picture]:
    """Read a COCO file of any origin: pictures lie relative to it, or in the folder `pictures`."""
    content = _load(path)
    names = {category["id"]: category["name"] for category in content["categories"]}
    known = {image["id"] for image in content["images"]}
    boxes = defaultdict(list)
    for annotation in content["annotations"]:
        if annotation["image_id"] not in known:
            refused.add("box of a picture that is not listed", f"{path.name}:{annotation['id']}")
        boxes[annotation["image_id"]].append(annotation)
    read = (
        _picture(image, boxes[image["id"]], names, path, pictures, refused) for image in content["images"]
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
    name = Path(os.path.relpath(picture.path.resolve(), folder.resolve())).as_posix()
    image = {"id": number, "file_name": name, "width": picture.width, "height": picture.height}
    return image | {"contributor": picture.source} | ({"person": picture.person} if picture.person else {})


def _annotation(face: LabelledFace, number: int, image: int, classes: Sequence[str]) -> dict[str, Any]:
    box = [round(value, 2) for value in face.box]
    area = round(face.box[2] * face.box[3], 2)
    entry = {"id": number, "image_id": image, "category_id": classes.index(face.label) + 1}
    entry |= {"bbox": box, "area": area, "iscrowd": 0}
    return entry | ({"proposed": True} if face.proposed else {})


def _picture(
    image: dict, annotations: list[dict], names: dict, path: Path, folder: Path | None, refused: Refused
) -> Picture | None:
    file = (folder or path.parent) / image["file_name"]
    width, height = image.get("width", 0), image.get("height", 0)
    if not (width and height and file.is_file()):
        picture = load_picture(file, refused)
        if picture is None:
            return None
        height, width = picture.shape[:2]
    faces = [
        _face(entry, names, width, height, refused, f"{path.name}:{entry['id']}") for entry in annotations
    ]
    source = str(image.get("contributor", path.stem))
    found = tuple(face for face in faces if face)
    return Picture(file, width, height, found, source, str(image.get("person", "")))


def _face(
    entry: dict, names: dict, width: int, height: int, refused: Refused, name: str
) -> LabelledFace | None:
    if entry["category_id"] not in names:
        refused.add("class number that the file does not name", name)
        return None
    box = fitted(tuple(map(float, entry["bbox"])), width, height, refused, name)
    return LabelledFace(box, names[entry["category_id"]], bool(entry.get("proposed"))) if box else None


def _load(path: Path) -> dict[str, list[dict]]:
    try:
        content = json.loads(path.read_text())
        for key, needed in (("categories", "name"), ("images", "file_name"), ("annotations", "bbox")):
            for entry in content[key]:
                entry["id"], entry[needed]  # noqa: B018  (a KeyError tells what is missing)
        for entry in content["annotations"]:
            entry["image_id"], entry["category_id"]  # noqa: B018
            if len(entry["bbox"]) != 4:
                raise ValueError(f"box {entry['bbox']}")
        return content
    except OSError as error:
        raise TrainingError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} is no COCO file ({error!r}): export it again as COCO detection"
        ) from error
