"""The whole core in one class: a BGR image in, detections out."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mask_detector.background import Floats, are_faces, class_scores, needed_for
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
        faces = self.find(image)
        return self.classify(image, faces, self.needed(faces))[0]

    def find(self, image: Image, least_score: float = 1.0) -> Faces:
        """Return the faces that have an area within the image, shape (N, 15), leftmost first.

        Args:
            image: BGR, shape (height, width, 3).
            least_score: faces count from this score on, if it is below the search's threshold.
        """
        faces = self._detect(image, least_score)
        boxes = clip_boxes(faces[:, :4], image.shape[1], image.shape[0])
        faces = faces[(boxes[:, 2:] > 0).all(axis=1)]
        return faces[np.argsort(faces[:, 0], kind="stable")]

    def classify(
        self, image: Image, faces: Faces, needed: Floats | float = 0.0
    ) -> tuple[list[Detection], NDArray[np.bool_]]:
        """Return what the people found in an image wear, and which of the finds, shape (N,), are people.

        Args:
            image: BGR, shape (height, width, 3).
            faces: the finds, shape (N, 4 or more), boxes first.
            needed: probability of a face that each must reach, shape (N,), see `needed`.
        """
        info = self.classifier.info
        crops = crop_faces(image, faces[:, :4], info.input_size, info.crop_margin)
        boxes = clip_boxes(faces[:, :4], image.shape[1], image.shape[0])
        outputs = self.classifier.classify(crops)
        people = are_faces(outputs, info, needed)
        scores = class_scores(outputs[people], len(self.class_ids))
        return [self._detection(*row) for row in zip(boxes[people], scores, strict=True)], people

    def needed(self, faces: Faces) -> Floats:
        """Return from which probability of a face on each of the finds is one, shape (N,)."""
        return needed_for(faces[:, 14], self.face_detector.search.score_threshold)

    def _detect(self, image: Image, least_score: float) -> Faces:
        search = self.face_detector.search
        self.face_detector.search = replace(search, score_threshold=min(search.score_threshold, least_score))
        try:
            return self.face_detector.detect(image)
        finally:
            self.face_detector.search = search

    def _detection(self, box: np.ndarray, scores: np.ndarray) -> Detection:
        ranked = sorted(zip(self.class_ids, scores.tolist(), strict=True), key=lambda pair: -pair[1])
        return Detection(tuple(box.tolist()), dict(ranked))
