"""Face detectors to choose from, behind one interface."""

from pathlib import Path

from mask_detector.errors import MaskDetectorError
from mask_detector.face_detectors.base import NO_FACES, FaceDetector, Faces, FaceSearch
from mask_detector.face_detectors.haar import Haar
from mask_detector.face_detectors.yunet import YuNet
from mask_detector.model_store import existing, load_manifest, verified
from mask_detector.runtimes import fastest

FACE_DETECTORS = ("auto", "masked_yunet", "yunet", "haar")

__all__ = ["FACE_DETECTORS", "NO_FACES", "FaceDetector", "FaceSearch", "Faces", "make_face_detector"]


def make_face_detector(
    name: str = "auto", model: str = "", search: FaceSearch = FaceSearch(), threads: int = 2
) -> FaceDetector:
    """Return a face detector that is ready to run.

    Args:
        name: one of FACE_DETECTORS; `auto` is the best of them, masked_yunet. That one runs in LiteRT where
            it is installed, and else in OpenCV.
        model: path of a file to use in place of the shipped one: .onnx in YuNet's layout, or a .tflite
            that `training.face_detector.export` made.
        search: how to look for faces.
        threads: how many processor cores LiteRT may use; OpenCV's are set for all of it.

    Raises:
        MaskDetectorError: the name is unknown, or the model is missing or damaged.
    """
    if name not in FACE_DETECTORS:
        raise MaskDetectorError(
            f"face detector '{name}' is unknown: choose one of {', '.join(FACE_DETECTORS)}"
        )
    if name == "haar":
        if model:
            raise MaskDetectorError(f"face detector 'haar' takes no model, but '{model}' was given")
        return Haar(search)
    name = "masked_yunet" if name == "auto" else name
    file = existing(Path(model)) if model else _shipped(name)
    return _in_litert(file, search, threads, name) if file.suffix == ".tflite" else YuNet(file, search, name)


def _shipped(name: str) -> Path:
    """Return the file of the manifest that runs fastest here."""
    files = load_manifest().face_detector_files(name)
    return verified(files[fastest(files)])


def _in_litert(file: Path, search: FaceSearch, threads: int, name: str) -> FaceDetector:
    try:
        from mask_detector.face_detectors.litert import LiteRTFaces  # only where it is needed
    except ImportError as error:
        raise MaskDetectorError(
            f"{file} needs ai-edge-litert ({error}): pip install ai-edge-litert, or give an .onnx file"
        ) from error
    return LiteRTFaces(file, search, threads, name)
