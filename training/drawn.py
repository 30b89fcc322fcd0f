"""Crops of bare faces with drawn masks, as a part of the training set."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from mask_detector.boxes import iou_matrix
from mask_detector.crops import crop_faces
from mask_detector.face_detectors import FaceDetector
from mask_detector.frame_sources.pictures import read_picture
from training.config import CropConfig, SynthesisConfig
from training.cropset import DRAWN_NAME, CropSet, assemble
from training.data import Face
from training.find import LEAST_OVERLAP
from training.pictures import picture_or_none
from training.progress import shown
from training.synthesise import FaceFrame, draw_mask, face_frame

DRAWN = "drawn"
SMALLEST = 40  # pixels of a bare face's shorter side; on smaller ones the landmarks are too coarse
MOST_OF_ONE = 8  # masks drawn onto one face; more would teach the face
Framed = tuple[Face, FaceFrame]


def drawn_crops(
    framed: Sequence[Framed],
    synthesis: SynthesisConfig,
    crops: CropConfig,
    classes: Sequence[str],
    seed: int,
) -> CropSet:
    """Draw masks onto the bare faces `framed`, the ways of wearing in turn, and cut them out."""
    random = np.random.default_rng(seed)
    cut, drawn = [np.empty((0, crops.outer_size, crops.outer_size, 3), np.uint8)], []
    chosen = shown(evenly(framed, synthesis.count, random), "drawing masks")
    for number, (face, frame) in enumerate(chosen):
        way = list(synthesis.ways)[number % len(synthesis.ways)]
        masked = draw_mask(read_picture(str(face.picture)), frame, way, random)
        cut.append(crop_faces(masked, [face.box], crops.outer_size, crops.outer_margin))
        label = classes.index(synthesis.ways[way])
        drawn.append(replace(face, label=label, source=DRAWN, name=f"{DRAWN_NAME}{way}:{face.name}"))
    return assemble(np.concatenate(cut), drawn)


def framed_faces(faces: Sequence[Face], detector: FaceDetector) -> Iterator[Framed]:
    """Yield the large faces that the detector sees from the front; a picture that cannot be read has none."""
    large = [face for face in faces if min(face.box[2:]) >= SMALLEST]
    for path, group in groupby(shown(large, "looking for bare faces"), key=lambda face: face.picture):
        picture = picture_or_none(path)
        found = [] if picture is None else detector.detect(picture)
        for face in group if len(found) else ():
            overlaps = iou_matrix([face.box], found[:, :4])[0]
            frame = face_frame(found[overlaps.argmax()])
            if overlaps.max() >= LEAST_OVERLAP and frame:
                yield face, frame


def evenly(framed: Sequence[Framed], count: int, random: np.random.Generator) -> list[Framed]:
    """Return `count` faces to draw on, each as often as the others, and none more than MOST_OF_ONE times."""
    rounds = [random.permutation(len(framed)) for _ in range(MOST_OF_ONE)]
    return [framed[number] for number in np.concatenate(rounds)[:count]]
