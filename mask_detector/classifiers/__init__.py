"""Runtimes for the classifier, behind one interface; each is imported only when it is chosen."""

from importlib import import_module
from pathlib import Path

import numpy as np

from mask_detector.classifiers.base import Classifier, Scores
from mask_detector.errors import MaskDetectorError, ModelError
from mask_detector.model_store import find_classifier, load_manifest, verified
from mask_detector.runtimes import fastest

_RUNTIMES = {  # the module and its class, and what to install for it
    "litert": ("litert", "LiteRT", "ai-edge-litert"),
    "litert_int8": ("litert", "LiteRT", "ai-edge-litert"),
    "opencv": ("opencv", "OpenCV", "opencv-python"),
    "keras": ("keras", "Keras", "tensorflow"),
}
RUNTIMES = ("auto", *_RUNTIMES)

__all__ = ["RUNTIMES", "Classifier", "Scores", "make_classifier"]


def make_classifier(name: str = "", runtime: str = "auto", threads: int = 2) -> Classifier:
    """Return a classifier that is ready to run.

    Args:
        name: the model's name in the manifest, empty for the default one, or the path of one of your own;
            see `model_store.find_classifier`.
        runtime: one of RUNTIMES; `auto` is the one that is fastest here, see `runtimes.fastest`.
        threads: how many processor cores it may use.

    Raises:
        MaskDetectorError: the runtime is unknown or not installed, or the model is missing, damaged or not
            such a classifier.
    """
    if runtime not in RUNTIMES:
        raise MaskDetectorError(f"runtime '{runtime}' is unknown: choose one of {', '.join(RUNTIMES)}")
    info = find_classifier(name)
    runtime = fastest(info.files) if runtime == "auto" else runtime
    module_name, class_name, requirement = _RUNTIMES[runtime]
    if runtime not in info.files:
        raise ModelError(
            f"model '{info.name}' has no file for runtime '{runtime}', only for {sorted(info.files)}"
        )
    try:
        module = import_module(f"mask_detector.classifiers.{module_name}")
    except ImportError as error:
        raise MaskDetectorError(
            f"runtime '{runtime}' needs {requirement} ({error}): pip install {requirement}"
        ) from error
    model = verified(info.files[runtime])
    classifier = getattr(module, class_name)(info, model, threads)
    classifier.runtime = runtime
    _try(classifier, model)
    return classifier


def _try(classifier: Classifier, model: Path) -> None:
    """Classify a blank face, so that a model of another shape is refused before the first image."""
    size = classifier.info.input_size
    outputs = len(load_manifest().class_ids) + (classifier.info.background_threshold is not None)
    try:
        found = classifier.classify(np.zeros((1, size, size, 3), np.uint8)).shape
    except Exception as error:  # each runtime has errors of its own
        raise ModelError(f"model file {model} does not take faces of {size}x{size}: {error}") from error
    if found != (1, outputs):
        raise ModelError(f"model file {model} gives {found[-1]} scores for a face instead of {outputs}")
