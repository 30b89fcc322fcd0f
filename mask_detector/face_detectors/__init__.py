"""Face detectors to choose from, behind one interface."""

from pathlib import Path

from mask_detector.errors import MaskDetectorError
from mask_detector.face_detectors.base import NO_FACES, FaceDetector, Faces, FaceSearch
from mask_detector.face_detectors.haar import Haar
from mask_detector.face_detectors.yunet import YuNet
from mask_detector.model_store import existing, load_manifest, verified

FACE_DETECTORS = ("auto", "yunet", "haar")

__all__ = ["FACE_DETECTORS", "NO_FACES", "FaceDetector", "FaceSearch", "Faces", "make_face_detector"]


def make_face_detector(
    name: str = "auto", model: str = "", search: FaceSearch = FaceSearch()
) -> FaceDetector:
    """Return a face detector that is ready to run.

    Args:
        name: one of FACE_DETECTORS; `auto` is the best of them.
        model: path of a YuNet file to use in place of the shipped one.
        search: how to look for faces.

    Raises:
        MaskDetectorError: the name is unknown, or the model is missing or damaged.
    """
    if name not in FACE_DETECTORS:
        raise MaskDetectorError(
            f"face detector '{name}' is unknown: choose one of {', '.join(FACE_DETECTORS)}"
        )
    if name != "haar":
        file = existing(Path(model)) if model else verified(load_manifest().face_detector_file("yunet"))
        return YuNet(file, search)
    if model:
        raise MaskDetectorError(f"face detector 'haar' takes no model, but '{model}' was given")
    return Haar(search)
