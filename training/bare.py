"""Find bare faces that a mask can be drawn on, in labelled and in unlabelled pictures.

The project's classifier must take a face for bare as well: one label in a hundred is a slip, and a mask
drawn over a mask teaches nonsense.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from mask_detector.background import BACKGROUND
from mask_detector.boxes import clip_boxes, iou_matrix
from mask_detector.classifiers import Classifier, make_classifier
from mask_detector.crops import Image, crop_faces
from mask_detector.face_detectors import FaceDetector, Faces
from mask_detector.model_store import load_manifest
from training.config import load_config
from training.data import Refused
from training.find import LEAST_OVERLAP
from training.formats import coco
from training.formats.base import Box, LabelledFace, Picture, load_picture
from training.masks import FaceFrame, face_frame, refusal
from training.pictures import pictures_below


@dataclass(frozen=True)
class BareFace:
    """A face to draw on: its box, and where its axes lie in the picture."""

    box: Box
    frame: FaceFrame


@dataclass(frozen=True)
class BarePicture:
    """A picture (BGR) with the faces to draw on, and the `others` that keep their labels."""

    picture: Picture
    image: Image
    faces: tuple[BareFace, ...]
    others: tuple[LabelledFace, ...]


class BareSearch:
    """Looks for bare faces, and tells `refused` which ones cannot be drawn on and why."""

    def __init__(self, detector: FaceDetector, refused: Refused) -> None:
        self._detector = detector
        self._refused = refused
        self._bare = load_config().synthesis.bare

    def pictures(self, path: Path) -> Iterator[BarePicture]:
        """Yield the pictures with bare faces of a COCO file, a folder, or the one picture."""
        labelled = path.suffix.lower() == ".json"
        for picture in coco.read(path, self._refused) if labelled else self._unlabelled(path):
            image = load_picture(picture.path, self._refused)
            if image is None:
                continue
            found = self._detector.detect(image)
            bare = self._labelled(picture, image, found) if labelled else self._judged(picture, image, found)
            if bare.faces:
                yield bare

    def _unlabelled(self, path: Path) -> Iterator[Picture]:
        for file in [path] if path.is_file() else pictures_below(path):
            yield Picture(file, 0, 0, (), file.parent.name)

    def _labelled(self, picture: Picture, image: Image, found: Faces) -> BarePicture:
        """Pair the faces that people call bare with those that the detector finds."""
        drawable, others = [], []
        judged = self._classes(image, found)
        for face in picture.faces:
            frame = self._paired(face, found, judged, picture) if face.label == self._bare else None
            if frame:
                drawable.append(BareFace(face.box, frame))
            else:
                others.append(face)
        return BarePicture(picture, image, tuple(drawable), tuple(others))

    def _paired(
        self, face: LabelledFace, found: Faces, judged: list[str], picture: Picture
    ) -> FaceFrame | None:
        overlaps = iou_matrix([face.box], found[:, :4])[0]
        if not len(found) or overlaps.max() < LEAST_OVERLAP:
            self._refused.add("labelled face that the detector does not find", picture.path.name)
        elif judged[overlaps.argmax()] != self._bare:
            reason = f"labelled {self._bare}, but the classifier calls it {judged[overlaps.argmax()]}"
            self._refused.add(reason, picture.path.name)
        else:
            return self._framed(found[overlaps.argmax()], picture)
        return None

    def _framed(self, face: Faces, picture: Picture) -> FaceFrame | None:
        if reason := refusal(face):
            self._refused.add(reason, picture.path.name)
            return None
        return face_frame(face)

    def _judged(self, picture: Picture, image: Image, found: Faces) -> BarePicture:
        """Take the faces that the classifier calls bare; the others stay without a label."""
        height, width = image.shape[:2]
        picture = replace(picture, width=width, height=height)
        if not len(found):
            self._refused.add("no face found in the picture", picture.path.name)
        boxes = [tuple(map(float, box)) for box in clip_boxes(found[:, :4], width, height)]
        framed = [self._framed(face, picture) for face in found]
        judged = self._classes(image, found)
        faces = []
        for box, frame, label in zip(boxes, framed, judged, strict=True):
            if frame and label == self._bare:
                faces.append(BareFace(box, frame))
            elif frame:
                self._refused.add(f"face that the classifier calls {label}", picture.path.name)
        return BarePicture(picture, image, tuple(faces), ())

    def _classes(self, image: Image, found: Faces) -> list[str]:
        """Return the class that the classifier gives each face."""
        info = self._classifier.info
        crops = crop_faces(image, found[:, :4], info.input_size, info.crop_margin)
        names = (*load_manifest().class_ids, BACKGROUND)
        return (
            [names[number] for number in self._classifier.classify(crops).argmax(axis=1)]
            if len(found)
            else []
        )

    @cached_property
    def _classifier(self) -> Classifier:
        return make_classifier()
