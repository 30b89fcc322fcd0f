"""What one face costs the classifier, beside the network of the classics: `python -m benchmarks.classifiers`.

In turns, each right after itself, in LiteRT with two threads: this project's classifier in float32 and in
int8, and MobileNetV2 1.0 at 224 px in float32 (with random weights: they cost the same time).
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np

from mask_detector.classifiers import Classifier, make_classifier
from mask_detector.classifiers.litert import LiteRT
from mask_detector.model_store import ClassifierInfo
from training.convert import to_litert

_CLASSIC = "MobileNetV2 1.0 at 224 px, float32"
_SIDE, _THREADS, _TURNS = 224, 2, 300


def classic() -> LiteRT:
    """Return the network of the classics."""
    model = keras.applications.MobileNetV2((_SIDE, _SIDE, 3), weights=None)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "classic.tflite"
        file.write_bytes(to_litert(model))
        return LiteRT(ClassifierInfo("classic", _SIDE, 1.0, {}), file, _THREADS)


def seconds_of(classifiers: dict[str, Classifier]) -> dict[str, np.ndarray]:
    """Return the seconds of each turn, shape (turns,); before each the same network has warmed the caches."""
    random, spent = np.random.default_rng(0), {name: [] for name in classifiers}
    sides = {name: classifier.info.input_size for name, classifier in classifiers.items()}
    faces = {name: random.integers(0, 256, (1, side, side, 3), np.uint8) for name, side in sides.items()}
    for _ in range(_TURNS):
        for name, classifier in classifiers.items():
            classifier.classify(faces[name])
            began = time.perf_counter()
            classifier.classify(faces[name])
            spent[name].append(time.perf_counter() - began)
    return {name: np.array(turns) for name, turns in spent.items()}


def main() -> None:
    """Print the medians, and the ratios within each turn."""
    runtimes = {"float32": "litert", "int8": "litert_int8"}
    made = {f"this project, {name}": make_classifier("", runtime) for name, runtime in runtimes.items()}
    spent = seconds_of({_CLASSIC: classic(), **made})
    for name, seconds in spent.items():
        ratio = np.median(seconds / spent[_CLASSIC])
        print(f"{name}: {1000 * np.median(seconds):.2f} ms a face, {ratio:.3f} of {_CLASSIC}")


if __name__ == "__main__":
    main()
