"""Train, evaluate and export the face classifier from anyone's own pictures; see README.md here."""

import os
import sys
from types import TracebackType

# Both are read when TensorFlow is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # faster; it goes without where there is AVX2 alone
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # a user has no use for its banners

_PACKAGES = {  # what pip calls a module that goes by another name
    "cv2": "'opencv-python-headless<5'",  # its cascades are gone from 5 on
    "keras": "tensorflow",
    "yaml": "pyyaml",
    "ai_edge_litert": "ai-edge-litert",
}


def _tell_what_is_missing(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Answer a library that is not installed with one line."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if name in ("", "training", "mask_detector"):
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"training needs {name}: pip install {_PACKAGES.get(name, name)}", file=sys.stderr)


if sys.argv[0] == "-m":  # a step is being started as python -m training.STEP
    sys.excepthook = _tell_what_is_missing
