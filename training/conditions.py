"""The same faces in bad conditions: without colours, in the dark, with noise, compressed, blurred."""

from collections.abc import Callable

import cv2
import numpy as np

from mask_detector.background import class_scores, face_probabilities
from mask_detector.classifiers import Classifier
from mask_detector.crops import Image
from training.cropset import CropSet
from training.figures import Figures, figures, judged

Random = np.random.Generator
DARK = "at 30 % of the light, noise of 6"


def _without_colours(image: Image, random: Random) -> Image:
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def _noisy(image: Image, random: Random) -> Image:
    return np.clip(image + random.normal(0, 15, image.shape), 0, 255).astype(np.uint8)


def dark(image: Image, random: Random) -> Image:
    """Return a picture taken with little light, and with the sensor's noise that comes with it."""
    return np.clip(0.3 * image + random.normal(0, 6, image.shape), 0, 255).astype(np.uint8)


def _compressed(image: Image, random: Random) -> Image:
    return cv2.imdecode(cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 20))[1], cv2.IMREAD_COLOR)


def _blurred(image: Image, random: Random) -> Image:
    return cv2.GaussianBlur(image, (0, 0), 3)


CONDITIONS: dict[str, Callable[[Image, Random], Image]] = {
    "as they are": lambda image, random: image,
    "without colours": _without_colours,
    "noise, standard deviation 15": _noisy,
    DARK: dark,
    "JPEG of quality 20": _compressed,
    "blurred, 3 pixels of the crop": _blurred,
}


def condition_figures(classifier: Classifier, faces: CropSet, classes: tuple[str, ...]) -> dict[str, Figures]:
    """Return by condition the figures on the large ones of the faces, and how many are rejected."""
    faces, told = faces.where(judged(faces)), {}
    for name, change in CONDITIONS.items():
        random = np.random.default_rng(0)
        crops = np.array([change(crop, random) for crop in faces.crops]).reshape(faces.crops.shape)
        outputs = classifier.classify(crops)
        rejected = int((face_probabilities(outputs, classifier.info) == 0).sum())
        scores = class_scores(outputs, len(classes))
        told[name] = figures(faces.labels, scores, classes) | {"rejected": rejected}
    return told


def condition_table(conditions: dict[str, Figures]) -> list[str]:
    """Return the figures as lines of Markdown."""
    names = list(next(iter(conditions.values()))["classes"])
    head = ["macro-F1", "accuracy", *[f"recall {name}" for name in names], "rejected"]
    lines = [f"| | {' | '.join(head)} |", "| --- |" + " --- |" * len(head)]
    for condition, row in conditions.items():
        shares = [row["macro_f1"], row["accuracy"], *[row["classes"][name]["recall"] for name in names]]
        cells = [*(f"{share:.3f}" for share in shares), f"{row['rejected']} of {row['faces']}"]
        lines.append(f"| {condition} | {' | '.join(cells)} |")
    return lines
