"""The whole core in one class: a BGR image in, detections out."""

import numpy as np

from mask_detector.boxes import clip_boxes
from mask_detector.classifiers import Classifier
from mask_detector.crops import Image, crop_faces
from mask_detector.detection import Detection
from mask_detector.face_detectors import FaceDetector, Faces
from mask_detector.model_store import load_manifest


class MaskDetector:
    """Finds faces and classifies each."""

    def __init__(self, face_detector: FaceDetector, classifier: Classifier) -> None:
        self.face_detector = face_detector
        self.classifier = classifier
        self.class_ids = load_manifest().class_ids

    def detect(self, image: Image) -> list[Detection]:
        """Return everybody in a BGR image of shape (height, width, 3), leftmost first."""
        faces = self._inside(self.face_detector.detect(image), image)
        info = self.classifier.info
        crops = crop_faces(image, faces[:, :4], info.input_size, info.crop_margin)
        boxes = clip_boxes(faces[:, :4], image.shape[1], image.shape[0])
        scores = self.classifier.classify(crops)
        return [self._detection(*row) for row in zip(boxes, scores, strict=True)]

    @staticmethod
    def _inside(faces: Faces, image: Image) -> Faces:
        """Drop faces whose box has no area within the image, and order the rest from left to right."""
        boxes = clip_boxes(faces[:, :4], image.shape[1], image.shape[0])
        faces = faces[(boxes[:, 2:] > 0).all(axis=1)]
        return faces[np.argsort(faces[:, 0], kind="stable")]

    def _detection(self, box: np.ndarray, scores: np.ndarray) -> Detection:
        ranked = sorted(zip(self.class_ids, scores.tolist(), strict=True), key=lambda pair: -pair[1])
        return Detection(tuple(box.tolist()), dict(ranked))
