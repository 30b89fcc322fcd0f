"""The whole core in one class: a BGR image in, detections out."""

from dataclasses import replace

import numpy as np

from mask_detector.background import Floats, are_people, class_scores, face_probabilities
from mask_detector.boxes import clip_boxes
from mask_detector.classifiers import Classifier
from mask_detector.crops import Image, crop_faces
from mask_detector.detection import Detection
from mask_detector.face_detectors import FaceDetector, Faces
from mask_detector.face_detectors.base import of_size
from mask_detector.model_store import load_manifest

_MAYBE = 0.3  # score from which on a find may be a face: nobody is classified for it, but blurred where asked


class MaskDetector:
    """Finds faces and classifies each."""

    def __init__(self, face_detector: FaceDetector, classifier: Classifier) -> None:
        self.face_detector = face_detector
        self.classifier = classifier
        self.class_ids = load_manifest().class_ids

    def detect(self, image: Image) -> list[Detection]:
        """Return everybody in a BGR image of shape (height, width, 3), leftmost first."""
        return self.people(image, self.find(image))

    def people(self, image: Image, faces: Faces) -> list[Detection]:
        """Return what those of the finds wear who are people to both networks together."""
        threshold = self.face_detector.search.score_threshold
        faces = self.counting(faces, threshold)
        told, probabilities = self.classify(image, faces)
        which = are_people(faces[:, 14], probabilities, threshold)
        return [told[number] for number in np.flatnonzero(which)]

    def find(self, image: Image, least_score: float = _MAYBE) -> Faces:
        """Return whatever may be a face and has an area within the image, shape (N, 15), leftmost first.

        Faces of all sizes, and also those too uncertain to count: see `counting`.

        Args:
            image: BGR, shape (height, width, 3).
            least_score: from which on is looked for them, if it is below the search's threshold and 0.3.
        """
        faces = self._detect(image, min(least_score, _MAYBE))
        boxes = clip_boxes(faces[:, :4], image.shape[1], image.shape[0])
        faces = faces[(boxes[:, 2:] > 0).all(axis=1)]
        return faces[np.argsort(faces[:, 0], kind="stable")]

    def counting(self, faces: Faces, least_score: float) -> Faces:
        """Return those of the finds that count: of a size that is searched for, from that score on."""
        faces = of_size(faces, self.face_detector.search)
        return faces[faces[:, 14] >= least_score]

    def classify(self, image: Image, faces: Faces) -> tuple[list[Detection], Floats]:
        """Return what each find would wear as a face, and the probability that it is one, shape (N,).

        Args:
            image: BGR, shape (height, width, 3).
            faces: the finds, shape (N, 4 or more), boxes first.
        """
        info = self.classifier.info
        crops = crop_faces(image, faces[:, :4], info.input_size, info.crop_margin)
        boxes = clip_boxes(faces[:, :4], image.shape[1], image.shape[0])
        outputs = self.classifier.classify(crops)
        scores = class_scores(outputs, len(self.class_ids))
        told = [self._detection(*row) for row in zip(boxes, scores, strict=True)]
        return told, face_probabilities(outputs, info)

    def _detect(self, image: Image, least_score: float) -> Faces:
        search = self.face_detector.search
        least_score = min(search.score_threshold, least_score)
        self.face_detector.search = replace(search, score_threshold=least_score, min_size=1, max_size=0)
        try:
            return self.face_detector.detect(image)
        finally:
            self.face_detector.search = search

    def _detection(self, box: np.ndarray, scores: np.ndarray) -> Detection:
        ranked = sorted(zip(self.class_ids, scores.tolist(), strict=True), key=lambda pair: -pair[1])
        return Detection(tuple(box.tolist()), dict(ranked))
