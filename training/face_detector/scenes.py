"""Pictures with all their faces: those that people labelled, and those that only the teacher sees.

The teacher is YuNet itself. It supplies landmarks, boxes in its own manner and faces that nobody
labelled; people supply the faces that it misses, which are mostly masked. Sources draw their boxes
differently (tight, around the hair), so each source's labels are first brought to the teacher's
manner by how the faces that both know differ.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mask_detector.boxes import iou_matrix
from mask_detector.crops import Image
from mask_detector.face_detectors import FaceDetector, Faces
from training.arrays import save_arrays
from training.data import DROP, coco_box, load_coco, read_corrections
from training.errors import TrainingError
from training.face_detector.settings import Data
from training.face_detector.targets import BOX, COLUMNS, FACE, IGNORED, KIND, KNOWN, NOTHING, POINTS
from training.pictures import picture_or_none

Rows = NDArray[np.float32]
_SAME = 0.35  # overlap (IoU) from which a label and a find are one face
_UNNOTICED = 60  # pixels; people overlook smaller faces
_ENLARGED = 2  # the teacher looks once more at the picture this much larger, for small faces


@dataclass(frozen=True)
class Scene:
    """A picture with its labelled boxes (N, 4) as x, y, width, height, and their class names."""

    path: Path
    source: str
    boxes: NDArray[np.float32]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Lesson:
    """A picture and what it teaches: rows as in `targets`, in its pixels; `bare` marks the bare faces."""

    path: Path
    rows: Rows
    bare: NDArray[np.bool_]


def read_scenes(path: Path, corrections: str = "") -> list[Scene]:
    """Read a COCO file, without the pictures of which the corrections drop a face."""
    content = load_coco(path)
    names = {category["id"]: category["name"] for category in content["categories"]}
    pictures, annotations = content["images"], content["annotations"]
    mended = read_corrections(Path(corrections), path.name) if corrections else {}
    left_out = {entry["image_id"] for entry in annotations if mended.get(entry["id"]) == DROP}
    faces = defaultdict(list)
    for entry in annotations:
        label, box = mended.get(entry["id"], names.get(entry["category_id"], "")), coco_box(entry)
        if box and min(box[2:]) >= 1 and not entry.get("iscrowd"):
            faces[entry["image_id"]].append((box, label))
    return [
        _scene(path, picture, faces[picture["id"]]) for picture in pictures if picture["id"] not in left_out
    ]


def _scene(path: Path, picture: dict, faces: list[tuple[list[float], str]]) -> Scene:
    boxes = np.array([box for box, _ in faces], np.float32).reshape(-1, 4)
    source = str(picture.get("contributor", path.stem))
    return Scene(path.parent / picture["file_name"], source, boxes, tuple(label for _, label in faces))


def read_scene(path: Path) -> Image:
    """Return a picture as BGR; raise TrainingError if it cannot be read."""
    image = picture_or_none(path)
    if image is None:
        raise TrainingError(f"the picture {path} cannot be read: mend it, or take it out of its set")
    return image


def teacher_faces(scenes: Sequence[Scene], teacher: FaceDetector, cache: Path) -> list[Faces]:
    """Return what the teacher finds in each picture, once as it is and once enlarged; kept in `cache`."""
    if cache.is_file():
        with np.load(cache) as stored:
            return [stored[f"{number:06}"] for number in range(len(scenes))]
    shown = tqdm(scenes, "the teacher looks", unit="picture", disable=None, leave=False)
    found = [_both_sizes(read_scene(scene.path), teacher) for scene in shown]
    save_arrays(cache, {f"{number:06}": faces for number, faces in enumerate(found)})
    return found


def _both_sizes(image: Image, teacher: FaceDetector) -> Faces:
    """Return the finds in a picture and, where they are new, in the enlarged one."""
    first = teacher.detect(image)
    larger = teacher.detect(cv2.resize(image, None, fx=_ENLARGED, fy=_ENLARGED))
    larger[:, :14] /= _ENLARGED
    new = iou_matrix(larger[:, :4], first[:, :4]).max(axis=1, initial=0) < _SAME
    return np.concatenate([first, larger[new]])


def lessons(scenes: Sequence[Scene], found: Sequence[Faces], data: Data, bare: str) -> list[Lesson]:
    """Join labels and teacher."""
    pairs = [_pairs(scene.boxes, faces) for scene, faces in zip(scenes, found, strict=True)]
    manners = _manners(scenes, found, pairs)
    return [_lesson(*parts, manners, data, bare) for parts in zip(scenes, found, pairs, strict=True)]


def _pairs(boxes: NDArray, faces: Faces) -> NDArray[np.int_]:
    """Return for each box the number of the find that is the same face, -1 if there is none."""
    if not len(faces) or not len(boxes):
        return np.full(len(boxes), -1)
    overlaps = iou_matrix(boxes, faces[:, :4])
    return np.where(overlaps.max(axis=1) >= _SAME, overlaps.argmax(axis=1), -1)


def _manners(
    scenes: Sequence[Scene], found: Sequence[Faces], pairs: Sequence[NDArray]
) -> dict[tuple[str, str], NDArray]:
    """Return, by source and class, how the teacher's box differs from the label: its median."""
    seen = defaultdict(list)
    for scene, faces, numbers in zip(scenes, found, pairs, strict=True):
        for box, label, number in zip(scene.boxes, scene.labels, numbers, strict=True):
            if number >= 0:
                seen[scene.source, label].append(_difference(box, faces[number, :4]))
                seen["", label].append(seen[scene.source, label][-1])
    return {key: np.median(values, axis=0) for key, values in seen.items() if len(values) >= 20}


def _difference(box: NDArray, other: NDArray) -> NDArray:
    """Return how to get from one box to another: shift in sizes, and the ratio of sizes."""
    shift = (other[:2] + other[2:] / 2 - box[:2] - box[2:] / 2) / box[2:]
    return np.concatenate([shift, other[2:] / box[2:]])


def _redrawn(box: NDArray, difference: NDArray) -> NDArray:
    size = box[2:] * difference[2:]
    return np.concatenate([box[:2] + box[2:] * (0.5 + difference[:2]) - size / 2, size])


def _lesson(scene: Scene, faces: Faces, numbers: NDArray, manners: dict, data: Data, bare: str) -> Lesson:
    rows, are_bare = [], []
    for box, label, number in zip(scene.boxes, scene.labels, numbers, strict=True):
        manner = manners.get((scene.source, label), manners.get(("", label), np.array([0, 0, 1, 1])))
        box = _redrawn(box, manner)
        if number >= 0:
            box = (box + faces[number, :4]) / 2
        box = _enlarged(box, data.masked_scale if label in data.masked else 1.0)
        rows.append(_row(FACE, box, faces[number, 4:14] if number >= 0 else None))
        are_bare.append(label == bare and number >= 0)
    for face in faces[~np.isin(np.arange(len(faces)), numbers)]:
        kind = _kind(face, data)
        if kind != NOTHING and _is_new(face, scene.boxes):
            rows.append(_row(kind, face[:4], face[4:14]))
            are_bare.append(False)
    return Lesson(scene.path, np.array(rows, np.float32).reshape(-1, COLUMNS), np.array(are_bare, bool))


def _kind(face: NDArray, data: Data) -> int:
    """Return what a find without a label is; a large face that is in doubt would have got a label."""
    if face[14] >= data.teacher_sure:
        return FACE
    return IGNORED if face[14] >= data.teacher_maybe and face[2:4].max() < _UNNOTICED else NOTHING


def _is_new(face: NDArray, boxes: NDArray) -> bool:
    """Tell whether a find is no part of a labelled face, as an eye or a chin would be."""
    low = np.maximum(face[:2], boxes[:, :2])
    high = np.minimum(face[:2] + face[2:4], boxes[:, :2] + boxes[:, 2:])
    covered = np.maximum(high - low, 0).prod(axis=1)
    return not (covered > 0.5 * face[2:4].prod()).any()


def _enlarged(box: NDArray, scale: float) -> NDArray:
    return np.concatenate([box[:2] - box[2:] * (scale - 1) / 2, box[2:] * scale])


def _row(kind: int, box: NDArray, points: NDArray | None) -> Rows:
    row = np.zeros(COLUMNS, np.float32)
    row[KIND], row[BOX] = kind, [*box[:2], *(box[:2] + box[2:])]
    if points is not None:
        row[POINTS], row[KNOWN] = points, 1
    return row
