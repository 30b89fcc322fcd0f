"""Take a Keras model of your own, of any project, into a models folder from which the node runs it.

    python -m training.adopt mask_detector.model --classes mask,no_mask --scaling minus_one_to_one
    ros2 run mask_detector detector --ros-args -p classifier:=$PWD/my_models/mask_detector

It reads `.keras` and `.h5` files of Keras 2 and 3 (an HDF5 file without suffix too), without running code
in them. `--classes` names the outputs in their order; of two classes the third gets the score 0. The
colours that the model was trained on go into it, so that every runtime gives it the same, and .keras,
.tflite and .onnx are compared on a portrait with drawn masks before they are stated in the manifest.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from keras.applications.imagenet_utils import preprocess_input
from numpy.typing import NDArray

from mask_detector.classifiers.base import Scores
from mask_detector.model_store import ClassifierInfo, load_manifest
from training.colours import Scaling
from training.errors import TrainingError
from training.export import RUNTIMES, THREADS, compare, write_for
from training.foreign import load_foreign
from training.manifest import enter, require_new_name
from training.options import told
from training.portraits import Portraits, portraits

SCALINGS = {
    "zero_to_255": lambda rgb: rgb,
    "zero_to_one": lambda rgb: rgb / 255,
    "minus_one_to_one": lambda rgb: preprocess_input(rgb, mode="tf"),
    "imagenet_caffe": lambda rgb: preprocess_input(rgb, mode="caffe"),
    "imagenet_torch": lambda rgb: preprocess_input(rgb, mode="torch"),
}


@dataclass(frozen=True)
class Habits:
    """How a model was trained: its classes by output, its colours, and its crop's side over the face's."""

    classes: list[str]
    scaling: str
    bgr: bool
    margin: float

    def __post_init__(self) -> None:
        known = load_manifest().class_ids
        if len(set(self.classes) & set(known)) != len(self.classes) or len(self.classes) < 2:
            raise TrainingError(
                f"--classes is '{','.join(self.classes)}': name two or three of {', '.join(known)}, once each"
            )
        if not 0.5 <= self.margin <= 3:
            raise TrainingError(f"--margin is {self.margin}: allowed is 0.5 to 3")


def adopt(path: Path, habits: Habits, name: str, folder: Path) -> str:
    """Take the model into `folder` under `name`; return what it says of a portrait, to look at.

    Raises:
        TrainingError: it cannot be read, or has other inputs and outputs than a classifier of faces.
    """
    model = wrapped(load_foreign(path), habits, path)
    info = ClassifierInfo(name, model.input_shape[1], habits.margin, {})
    faces = portraits(info.input_size, habits.margin)
    with TemporaryDirectory() as temporary:
        files = {"keras": Path(temporary) / f"{name}.keras"}
        model.save(files["keras"])
        scores = RUNTIMES["keras"][0](info, files["keras"], THREADS).classify(faces.crops)
        _require_probabilities(scores, path)
        for runtime in ("litert", "opencv"):
            file = files["keras"].with_suffix(RUNTIMES[runtime][1])
            if _agrees(model, runtime, file, info, faces, scores):
                files[runtime] = file
        enter(folder, name, files, _entry(path, habits, info))
    return _opinion(faces, scores, habits)


def wrapped(model: keras.Model, habits: Habits, path: Path) -> keras.Model:
    """Return the model from RGB crops, 0 to 255, to the probabilities of all classes."""
    size = _checked_size(model, habits, path)
    scaling = Scaling.of(SCALINGS[habits.scaling])
    if habits.bgr:
        scaling = Scaling(scaling.matrix[::-1], scaling.offset)
    inputs = keras.Input((size, size, 3), name="rgb")
    layer = scaling.layer()
    scores = model(layer(inputs) if layer else inputs, training=False)
    scores = scores[0] if isinstance(scores, list | tuple) else scores  # of Keras 2, where one came as a list
    matrix, offset = _to_classes(scores.shape[-1], habits.classes)
    classes = keras.layers.Dense(len(offset), name="classes")
    outputs = classes(scores)
    classes.set_weights([matrix, offset])
    return keras.Model(inputs, outputs, name="adopted")


def _checked_size(model: keras.Model, habits: Habits, path: Path) -> int:
    """Return the side of the model's input, in pixels."""
    shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs or []]
    height, width, colours = shapes[0] if len(shapes) == 1 and len(shapes[0]) == 3 else (0, 0, 0)
    if colours != 3 or height is None or height != width:
        raise TrainingError(
            f"{path} takes {shapes}: it must take one square picture of a fixed size, 3 colours"
        )
    outputs, named = [tuple(tensor.shape[1:]) for tensor in model.outputs], len(habits.classes)
    if outputs != [(named,)] and (outputs, named) != ([(1,)], 2):
        raise TrainingError(f"{path} gives {outputs}, but --classes names {named}: they must agree")
    return height


def _to_classes(outputs: int, named: list[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return a matrix and an offset from a model's outputs to all classes; a single one is of the second."""
    known = load_manifest().class_ids
    matrix, offset = np.zeros((outputs, len(known)), np.float32), np.zeros(len(known), np.float32)
    if outputs == 1:
        offset[known.index(named[0])] = 1
        matrix[0, [known.index(one) for one in named]] = -1, 1
    else:
        matrix[range(outputs), [known.index(one) for one in named]] = 1
    return matrix, offset


def _require_probabilities(scores: Scores, path: Path) -> None:
    if not (np.abs(scores.sum(1) - 1) < 1e-3).all() or scores.min() < -1e-3:
        raise TrainingError(
            f"{path} gives outputs that sum to {scores.sum(1).max():.3g}, not to 1: end it in a softmax"
        )


def _agrees(
    model: keras.Model, runtime: str, file: Path, info: ClassifierInfo, faces: Portraits, scores: Scores
) -> bool:
    """Convert for a runtime; without that one the model still runs in the others."""
    try:
        write_for(runtime, model, file)
        compare(
            scores, RUNTIMES[runtime][0](info, file, THREADS).classify(faces.crops), f"keras and {runtime}"
        )
    except Exception as error:  # converters raise anything at layers they do not know
        print(f"not for runtime {runtime}: {' '.join(str(error).split()):.300}")
        return False
    return True


def _entry(path: Path, habits: Habits, info: ClassifierInfo) -> dict[str, Any]:
    return {
        "input_size": info.input_size,
        "crop_margin": info.crop_margin,
        "architecture": f"adopted from {path.name}; classes {', '.join(habits.classes)}",
        "licence": "that of its makers",
        "training_data": [],
        "quality": {},
    }


def _opinion(faces: Portraits, scores: Scores, habits: Habits) -> str:
    classes = load_manifest().class_ids
    answers = [f"{classes[row.argmax()]} {row.max():.2f}" for row in scores]
    lines = [f"  {what:40} {answer}" for what, answer in zip(faces.titles, answers, strict=True)]
    wrong = [
        what
        for what, true, row in zip(faces.titles, faces.classes, scores, strict=True)
        if true in habits.classes and classes[row.argmax()] != true
    ]
    doubt = (
        "" if len(wrong) < 2 else "\nIt errs on most: are --classes (their order), --scaling and --bgr right?"
    )
    return "What it says of a portrait:\n" + "\n".join(lines) + doubt


def _options() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("training.adopt", description=__doc__, formatter_class=form)
    parser.add_argument("model", type=Path, help="a Keras model, .keras or .h5")
    parser.add_argument("--classes", required=True, help="what its outputs mean, as mask,no_mask")
    parser.add_argument("--scaling", required=True, choices=SCALINGS, help="the colours it was trained on")
    parser.add_argument(
        "--bgr", action="store_true", help="it was trained on pictures of cv2.imread as they are"
    )
    parser.add_argument(
        "--margin", type=float, default=1.0, help="its crop over the face's box (%(default)s)"
    )
    parser.add_argument("--models", type=Path, default=Path("my_models"), help="models folder (%(default)s)")
    parser.add_argument("--name", help="its name there (the file's)")
    parser.add_argument("--replace", action="store_true", help="replace a model of the same name")
    return parser


def main(argv: list[str] | None = None) -> None:
    parser = _options()
    options = parser.parse_args(argv)
    name = options.name or options.model.stem
    with told(parser):
        habits = Habits(options.classes.split(","), options.scaling, options.bgr, options.margin)
        if not options.replace:
            require_new_name(options.models, name, "choose another --name")
        print(adopt(options.model, habits, name, options.models))
        print(f"classifier:={options.models.resolve() / name} runs it")


if __name__ == "__main__":
    main()
