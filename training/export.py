"""Put the best model of a run into the models folder: calibrated, converted, checked and described.

    python -m training.export --run runs/classifier --models models

NAME.keras, NAME.tflite, NAME_int8.tflite and NAME.onnx are made in the run folder first. Only when all agree
on real crops, int8 by its macro-F1, are they copied, and stated in manifest.json with size, sha256, training
data and measured quality. A models folder that is new gets a manifest of its own.
"""

from pathlib import Path

import keras
import numpy as np

from mask_detector.background import class_scores
from mask_detector.classifiers.base import Scores
from mask_detector.classifiers.keras import Keras
from mask_detector.classifiers.litert import LiteRT
from mask_detector.classifiers.opencv import OpenCV
from mask_detector.model_store import ClassifierInfo, load_manifest, share_folder
from training.calibration import calibration_crops
from training.config import Config
from training.convert import to_litert
from training.cropset import CropSet
from training.errors import TrainingError
from training.figures import Figures, figures, judged, require_judged
from training.manifest import describe, publish, require_new_name
from training.metrics import fit_temperature
from training.model import logits_of, predicted
from training.options import settings_of, step_parser, told
from training.prepare import FOUND, prepared
from training.rejection import fit_background_threshold
from training.to_onnx import to_onnx

RUNTIMES = {"keras": (Keras, ".keras"), "litert": (LiteRT, ".tflite"), "opencv": (OpenCV, ".onnx")}
LARGEST_DIFFERENCE = 0.02
MOST_LOST = 0.005  # macro-F1 of the int8 file
SETS = ("val", "test")
THREADS = 2


def export(config: Config, run: Path, models: Path, replace: bool = False) -> None:
    """Write the run's best model and its manifest entry into the folder `models`, as the default one.

    Raises:
        TrainingError: the run has no model yet, another model has its name and `replace` is not
            given, or the exported files disagree.
    """
    if not replace:
        require_new_name(models, config.name, f"set another name in {run / 'config.yaml'}")
    if not (run / "best.keras").is_file():
        raise TrainingError(f"{run} holds no best.keras: train first")
    model = keras.saving.load_model(run / "best.keras", compile=False, safe_mode=True)
    faces = {kind: prepared(config, run, kind) for kind in SETS}
    require_judged(faces["val"])
    faces = {kind: crops for kind, crops in faces.items() if judged(crops).any()}
    temperature = calibrate(model, faces["val"].where(judged(faces["val"])))
    print(f"temperature {temperature:.3f}, folded into the last layer")
    files = _convert(model, config.name, run / "export")
    scores = {kind: _agreed_scores(files, config, faces[kind], kind) for kind in faces}
    quality = {kind: _quality(faces[kind], scores[kind]) for kind in faces}
    entry = describe(config, temperature, quality) | _background_entry(files, config, run)
    lost = _add_int8(files, model, config, run, faces["val"], scores["val"])
    publish(models, config, files, entry | lost)
    print(f"{models / config.name}.* written; it is the default classifier now")
    print(f"macro-F1 {quality['val']['macro_f1']:.3f} on the validation faces")


def calibrate(model: keras.Model, faces: CropSet) -> float:
    """Divide the logits by the temperature that makes scores probabilities, and return it."""
    scores = class_scores(predicted(model, faces.crops), len(load_manifest().class_ids))
    temperature = fit_temperature(faces.labels, scores)
    for layer in logits_of(model):  # the mean of the views becomes as much smaller
        layer.set_weights([weights / temperature for weights in layer.get_weights()])
    return temperature


def compare(first: Scores, second: Scores, what: str) -> None:
    """Raise TrainingError if two runtimes' scores (N, classes) differ by more than allowed, or in class.

    Between classes that are nearer to each other than that, either is right.
    """
    difference = float(np.abs(first - second).max(initial=0))
    ahead = first.max(1) - first[np.arange(len(first)), second.argmax(1)]
    others = int((ahead > LARGEST_DIFFERENCE).sum())
    print(f"{what}: {len(first)} crops, largest difference {difference:.6f}, other class {others}")
    if others or not difference <= LARGEST_DIFFERENCE:  # so that NaN counts as different
        raise TrainingError(f"{what} differ by up to {difference:.4f}, in class on {others} of {len(first)}")


def _convert(model: keras.Model, name: str, folder: Path) -> dict[str, Path]:
    """Write the model for every runtime and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {runtime: folder / f"{name}{suffix}" for runtime, (_, suffix) in RUNTIMES.items()}
    for runtime, file in files.items():
        write_for(runtime, model, file)
    return files


def write_for(runtime: str, model: keras.Model, file: Path) -> None:
    """Write the model as a runtime reads it."""
    if runtime == "keras":
        model.save(file)
    else:
        file.write_bytes({"litert": to_litert, "opencv": to_onnx}[runtime](model))


def _add_int8(
    files: dict[str, Path], model: keras.Model, config: Config, run: Path, val: CropSet, scores: Scores
) -> dict[str, float]:
    """Add an int8 file to `files` and return what it loses, unless that is too much."""
    crops = calibration_crops(prepared(config, run, "train"), model.output_shape[-1], config)
    file = files["litert"].with_name(f"{config.name}_int8.tflite")
    file.write_bytes(to_litert(model, crops))
    info = ClassifierInfo(config.name, config.crops.size, config.crops.margin, {})
    own = LiteRT(info, file, THREADS).classify(val.crops)
    lost = _quality(val, scores)["macro_f1"] - _quality(val, own)["macro_f1"]
    print(f"int8: {lost:+.4f} of macro-F1 lost on the validation faces")
    if lost > MOST_LOST:
        print(f"int8 is left out: allowed are {MOST_LOST}")
        return {}
    files["litert_int8"] = file
    return {"int8_macro_f1_lost": round(lost, 4)}


def _agreed_scores(files: dict[str, Path], config: Config, faces: CropSet, kind: str) -> Scores:
    """Classify the crops with the core's own runtimes and return the scores that all agree on."""
    info = ClassifierInfo(config.name, config.crops.size, config.crops.margin, {})
    runtimes = {name: RUNTIMES[name][0](info, file, THREADS) for name, file in files.items()}
    scores = {name: runtime.classify(faces.crops) for name, runtime in runtimes.items()}
    for name in files.keys() - {"keras"}:
        compare(scores["keras"], scores[name], f"keras and {name} on {kind}")
    return scores["litert"]


def _background_entry(files: dict[str, Path], config: Config, run: Path) -> dict[str, float]:
    """Return from where on the last output rejects a find, for a model that has one for background.

    It goes by the validation faces that the detector finds: others never come to be rejected.
    """
    if not config.background.count:
        return {}
    found = prepared(config, run, "val" + FOUND)
    outputs = _agreed_scores(files, config, found.where(judged(found)), "the faces found in val")
    threshold = fit_background_threshold(outputs)
    lost = int((outputs[:, -1] >= threshold).sum())
    print(f"background threshold {threshold}: {lost} of {len(outputs)} validation faces found are lost")
    return {"background_threshold": threshold}


def _quality(faces: CropSet, outputs: Scores) -> Figures:
    """Return the figures for the manifest: faces large enough, the box as labelled."""
    large, classes = judged(faces), load_manifest().class_ids
    return figures(faces.labels[large], class_scores(outputs[large], len(classes)), classes)


def main(argv: list[str] | None = None) -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--models", type=Path, help="folder of manifest.json (default: the project's models)")
    parser.add_argument("--replace", action="store_true", help="replace a model of the same name")
    options = parser.parse_args(argv)
    models = options.models or share_folder() / "models"
    with told(parser):
        config = settings_of(options.run)
        export(config, options.run, models, options.replace)


if __name__ == "__main__":
    main()
