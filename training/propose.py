"""Find the faces in pictures without boxes, and propose boxes, and classes where nobody gave one."""

from collections.abc import Iterable

import cv2
import numpy as np
from tqdm import tqdm

from mask_detector.boxes import clip_boxes
from mask_detector.classifiers import Classifier
from mask_detector.crops import Image, crop_faces
from mask_detector.face_detectors import FaceDetector, Faces
from mask_detector.model_store import load_manifest
from training.data import Refused
from training.find import shown_face
from training.formats.base import UNLABELLED, LabelledFace, Picture, load_picture
from training.formats.unboxed import Unboxed

_BORDER = 0.35  # of a picture's longer side, put around a tight portrait in which no face was found


def propose(
    unboxed: Iterable[Unboxed], detector: FaceDetector, refused: Refused, classifier: Classifier | None = None
) -> list[Picture]:
    """Give a labelled picture the box of the face it shows, and an unlabelled one those of all its faces.

    With a classifier, the faces of unlabelled pictures get the class that it gives them.
    """
    pictures = []
    for one in tqdm(unboxed, desc="finding faces", unit="picture", disable=None, leave=False):
        image = load_picture(one.path, refused)
        if image is None:
            continue
        found = _find(image, detector)
        if not len(found) and one.label != UNLABELLED:
            refused.add("no face found in the picture", str(one.path))
            continue
        faces = _labelled(one, found, image) if one.label != UNLABELLED else _named(image, found, classifier)
        height, width = image.shape[:2]
        pictures.append(Picture(one.path, width, height, faces, one.source, one.person))
    return pictures


def _labelled(one: Unboxed, found: Faces, image: Image) -> tuple[LabelledFace, ...]:
    box = shown_face(found, image)
    return (LabelledFace(tuple(map(float, box)), one.label, proposed=True),)


def _named(image: Image, found: Faces, classifier: Classifier | None) -> tuple[LabelledFace, ...]:
    names = [UNLABELLED] * len(found)
    if classifier and len(found):
        crops = crop_faces(image, found[:, :4], classifier.info.input_size, classifier.info.crop_margin)
        classes = (*load_manifest().class_ids, UNLABELLED)  # what it takes for background is left to people
        names = [classes[number] for number in classifier.classify(crops).argmax(axis=1)]
    boxes = (tuple(map(float, face[:4])) for face in found)
    return tuple(
        LabelledFace(box, name, proposed=True, guessed=name != UNLABELLED)
        for box, name in zip(boxes, names, strict=True)
    )


def _find(image: Image, detector: FaceDetector) -> Faces:
    """Return the faces, cut to the picture; a portrait cut too tight is searched again with a border."""
    height, width = image.shape[:2]
    found = detector.detect(image)
    if not len(found):
        border = round(_BORDER * max(height, width))
        wider = cv2.copyMakeBorder(image, *[border] * 4, cv2.BORDER_REPLICATE)
        found = detector.detect(wider) - np.float32([border, border] + [0] * 13)
    found[:, :4] = clip_boxes(found[:, :4], width, height)
    return found[found[:, 2:4].min(axis=1, initial=np.inf) > 1]
