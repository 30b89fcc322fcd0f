"""Crops of what is no face, so that the classifier learns to say so.

What the Haar cascade takes for a face where neither the labels nor YuNet have one, places beside
people (clothes, hands, hair) and anywhere, also with a mask that nobody wears, single parts of faces,
and drawn patterns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.boxes import Boxes
from mask_detector.crops import Image, crop_faces
from mask_detector.face_detectors import FaceSearch, make_face_detector
from mask_detector.frame_sources.pictures import read_picture
from training.cropset import BACKGROUND_NAME, CropSet, assemble
from training.data import Face
from training.masks import WAYS, draw_mask, face_frame
from training.pictures import picture_or_none

SMALLEST = 20  # pixels of a side; smaller ones look alike, faces and others
PATTERNS = 0.1  # share of drawn patterns
PLACE, BESIDE, UNWORN, PATTERN = "place", "beside", "unworn", "pattern"  # kinds of background
_UNWORN = 0.3  # share of places on which a mask is drawn
# eyes, nose and corners of the mouth in shares of a face's box
_LANDMARKS = np.float32([[0.31, 0.38], [0.69, 0.38], [0.5, 0.6], [0.35, 0.78], [0.65, 0.78]])
_FAINT = 0.1  # score from which YuNet's finds may be faces that nobody labelled
_SEARCHED = 480  # pixels, longest side for Haar, which is slow
_TOUCH = 0.05  # share of the smaller of two boxes that may lie in the other
_PLACES = 3  # tried in each picture
_LARGE = 64  # pixels; of smaller faces a part shows nothing
Random = np.random.Generator


def background_crops(
    faces: Sequence[Face], count: int, label: int, size: int, margin: float, seed: int
) -> CropSet:
    """Return up to `count` crops, shape (N, size, size, 3), from the pictures of `faces`, with that label."""
    random = np.random.default_rng(seed)
    patterns = round(count * PATTERNS)
    kept = list(_finds(faces, random))
    chosen = random.permutation(len(kept))[: count - patterns]
    cut, told = [np.empty((0, size, size, 3), np.uint8)], []
    for path, group in groupby((kept[i] for i in sorted(chosen)), key=lambda face: face.picture):
        picture = read_picture(str(path))
        for face in group:
            unworn = face.source in (PLACE, BESIDE) and random.random() < _UNWORN
            shown = with_mask(picture, face.box, random) if unworn else picture
            cut.append(crop_faces(shown, [face.box], size, margin))
            told.append(replace(face, label=label, source=UNWORN if unworn else face.source))
    for number in range(patterns):
        cut.append(cv2.resize(pattern(random), (size, size))[None])
        name = f"{BACKGROUND_NAME}{PATTERN}:{number}"
        told.append(Face(Path(name), (0, 0, size, size), label, PATTERN, name))
    return assemble(np.concatenate(cut), told)


def _finds(faces: Sequence[Face], random: Random) -> Iterator[Face]:
    """Yield what is no face in each picture."""
    faint = make_face_detector("yunet", search=FaceSearch(score_threshold=_FAINT, min_size=1))
    haar = make_face_detector(
        "haar", search=FaceSearch(score_threshold=0, input_size=_SEARCHED, min_size=SMALLEST)
    )
    for path, group in groupby(faces, key=lambda face: face.picture):
        picture = picture_or_none(path)
        if picture is None:
            continue
        labelled = list(group)
        people = np.float32([face.box for face in labelled])
        taken = np.concatenate([people, faint.detect(picture)[:, :4]])
        places = {
            "haar": haar.detect(picture)[:, :4],
            PLACE: _places(picture, random),
            BESIDE: _beside(people, picture, random),
        }
        kinds = {kind: boxes[~touching(boxes, taken)] for kind, boxes in places.items()}
        for kind, boxes in {**kinds, "part": _parts(people, random)}.items():
            for number, box in enumerate(boxes):
                name = f"{BACKGROUND_NAME}{kind}:{labelled[0].name}:{number}"
                yield replace(labelled[0], box=tuple(map(float, box)), source=kind, name=name)


def _places(picture: Image, random: Random) -> Boxes:
    """Return squares anywhere in the picture, small ones more often."""
    height, width = picture.shape[:2]
    largest = max(min(height, width) / 2, SMALLEST)
    sides = np.exp(random.uniform(np.log(SMALLEST), np.log(largest), _PLACES))
    left, top = random.uniform(0, 1, (2, _PLACES)) * (np.maximum([[width], [height]] - sides, 0))
    return np.stack([left, top, sides, sides], axis=1).astype(np.float32)


def _beside(people: Boxes, picture: Image, random: Random) -> Boxes:
    """Return a square next to each face and of its size, as far as the picture reaches."""
    turns, far = random.uniform(0, 2 * np.pi, len(people)), random.uniform(1.1, 2, len(people))
    sides = people[:, 2:].max(axis=1)
    shifts = np.stack([np.cos(turns), np.sin(turns)], axis=1) * (far * sides)[:, None]
    boxes = np.column_stack([people[:, :2] + shifts, sides, sides]).astype(np.float32)
    inside = (boxes[:, :2] >= 0).all(axis=1) & (boxes[:, :2] + sides[:, None] <= picture.shape[1::-1]).all(
        axis=1
    )
    return boxes[inside & (sides >= SMALLEST)]


def _parts(people: Boxes, random: Random) -> Boxes:
    """Return a small square somewhere in each large face: an eye, an ear, cloth, skin."""
    large = people[people[:, 2:].min(axis=1) >= _LARGE]
    sides = random.uniform(0.2, 0.33, len(large)) * large[:, 2]
    corners = large[:, :2] + random.uniform(0, 1, (len(large), 2)) * (large[:, 2:] - sides[:, None])
    return np.column_stack([corners, sides, sides]).astype(np.float32)


def with_mask(picture: Image, box: Sequence[float], random: Random) -> Image:
    """Return the picture with a mask where one would be if `box` (x, y, width, height) held a face."""
    place = _LANDMARKS + random.normal(0, 0.03, _LANDMARKS.shape)
    face = np.zeros(15, np.float32)
    face[4:14] = (np.float32(box[:2]) + place * np.float32(box[2:])).ravel()
    frame = face_frame(face)
    return draw_mask(picture, frame, str(random.choice(list(WAYS))), random) if frame else picture


def touching(boxes: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Tell which of `boxes` (N, 4) share more than a trace with one of `others` (M, 4)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum((boxes[:, :2] + boxes[:, 2:])[:, None], (others[:, :2] + others[:, 2:])[None])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    smaller = np.minimum(boxes[:, 2:].prod(axis=1)[:, None], others[:, 2:].prod(axis=1)[None])
    return (shared > _TOUCH * smaller).any(axis=1)


def pattern(random: Random) -> Image:
    """Return a drawn picture (96, 96, 3) without a face: stripes, checks, blots, noise or bars."""
    rows, columns = np.mgrid[:96, :96] / 96
    turn, pitch = random.uniform(0, np.pi), random.uniform(1.5, 12)
    along = rows * np.sin(turn) + columns * np.cos(turn)
    across = columns * np.sin(turn) - rows * np.cos(turn)
    waves = np.sin(2 * np.pi * pitch * along)
    blots = cv2.GaussianBlur(random.random((96, 96)), (0, 0), random.uniform(1, 12))
    kinds = (waves, np.sign(waves), np.sign(waves * np.sin(2 * np.pi * pitch * across)), blots, along)
    grey = cv2.normalize(kinds[random.integers(len(kinds))], None, 0, 1, cv2.NORM_MINMAX)[..., None]
    dark, light = random.uniform(0, 255, (2, 3))
    noise = random.normal(0, random.uniform(0, 20), (96, 96, 3))
    return np.clip(dark + (light - dark) * grey + noise, 0, 255).astype(np.uint8)
