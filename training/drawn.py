"""Crops of bare faces with drawn masks, as a part of the training set."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from mask_detector.boxes import iou_matrix
from mask_detector.crops import Image, crop_faces
from mask_detector.face_detectors import FaceDetector
from training.config import CropConfig, SynthesisConfig, TrainingError
from training.cropset import CropSet, assemble
from training.data import Face
from training.find import LEAST_OVERLAP
from training.synthesise import WAYS, FaceFrame, draw_mask, face_frame

DRAWN = "drawn"
SMALLEST = 40  # pixels of a bare face's shorter side; on smaller ones the landmarks are too coarse


def drawn_crops(
    faces: Sequence[Face],
    detector: FaceDetector,
    synthesis: SynthesisConfig,
    crops: CropConfig,
    classes: Sequence[str],
    seed: int,
) -> CropSet:
    """Draw masks onto the bare ones of `faces`, the ways of wearing in turn, and cut them out."""
    if unknown := set(synthesis.ways) - set(WAYS) | set(synthesis.ways.values()) - set(classes):
        raise TrainingError(f"synthesis.ways: unknown {', '.join(unknown)}; ways are {', '.join(WAYS)}")
    bare = [
        face
        for face in faces
        if face.label == classes.index(synthesis.bare) and min(face.box[2:]) >= SMALLEST
    ]
    framed = [(face, *found) for face in bare if (found := _find(face, detector))]
    random = np.random.default_rng(seed)
    cut, drawn = [np.empty((0, crops.outer_size, crops.outer_size, 3), np.uint8)], []
    for number in range(synthesis.count if framed else 0):
        face, picture, frame = framed[random.integers(len(framed))]
        way = list(synthesis.ways)[number % len(synthesis.ways)]
        masked = draw_mask(picture, frame, way, random)
        cut.append(crop_faces(masked, [face.box], crops.outer_size, crops.outer_margin))
        label = classes.index(synthesis.ways[way])
        drawn.append(replace(face, label=label, source=DRAWN, name=f"{DRAWN}:{way}:{face.name}"))
    return assemble(np.concatenate(cut), drawn)


def _find(face: Face, detector: FaceDetector) -> tuple[Image, FaceFrame] | None:
    """Return the face's picture and its frame, None where the detector does not see it from the front."""
    picture = cv2.imread(str(face.picture), cv2.IMREAD_COLOR)
    found = detector.detect(picture)
    overlaps = iou_matrix([face.box], found[:, :4])[0]
    if not len(found) or overlaps.max() < LEAST_OVERLAP:
        return None
    frame = face_frame(found[overlaps.argmax()])
    return (picture, frame) if frame else None
