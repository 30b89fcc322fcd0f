"""Put the best face detector of a run into the models folder: calibrated, converted, checked and described.

    python -m training.face_detector.export --run runs/detector --models models

Its scores are shifted so that the node's default threshold leaves `data.unmatched` times the unmatched
finds that YuNet makes on the validation scenes. NAME.keras, NAME.tflite (float32), NAME_int8.tflite and
NAME.onnx are made in the run folder first; only when they agree on the validation scenes are they copied and
stated in manifest.json. A models folder that is new gets a manifest of its own.
"""

import argparse
from pathlib import Path

import keras
import numpy as np

from mask_detector.crops import Image
from mask_detector.face_detectors import Faces, FaceSearch
from mask_detector.face_detectors.base import shrink
from mask_detector.face_detectors.cells import PARTS, padded
from mask_detector.face_detectors.litert import LiteRTFaces
from mask_detector.face_detectors.yunet import YuNet
from mask_detector.model_store import share_folder
from training.errors import TrainingError
from training.face_detector.equalise import equalised
from training.face_detector.publish import publish
from training.face_detector.scenes import read_scene, read_scenes
from training.face_detector.settings import DetectorConfig, load_detector_config
from training.face_detector.to_litert import to_litert
from training.face_detector.validate import Validation
from training.face_detector.yunet_layout import write_weights
from training.manifest import require_new_name
from training.options import told
from training.state import Arrays

FILES = {"keras": ".keras", "litert": ".tflite", "litert_int8": "_int8.tflite", "opencv": ".onnx"}
_SEARCH = FaceSearch()
_LARGEST_LOSS = 0.01  # of recall by int8
_LARGEST_DIFFERENCE = 0.1  # pixels between float32 runtimes
_ENOUGH = 20  # finds without a label by which scores can be calibrated
_STEPS = 2
_CALIBRATED_ON = 100  # training pictures that show the int8 arithmetic its ranges


def export(config: DetectorConfig, run: Path, models: Path, replace: bool = False) -> None:
    """Write the run's best model and its manifest entry into the folder `models`.

    Raises:
        TrainingError: the run has no model yet, another model has its name and `replace` is not
            given, or the exported files disagree.
    """
    if not replace:
        require_new_name(models, config.name, f"set another name in {run / 'config.yaml'}")
    if not (run / "best.keras").is_file():
        raise TrainingError(f"{run} holds no best.keras: train first")
    network = keras.saving.load_model(run / "best.keras", compile=False, safe_mode=True)
    validation = Validation(config)
    shift = calibrate(network, validation, config.data.unmatched)
    if shift:
        left = f"{config.data.unmatched} of YuNet's unmatched finds are left at {_SEARCH.score_threshold}"
        print(f"logits shifted by {shift:.3f}: {left}")
    files = _convert(network, config, run / "export")
    quality = _check(files, validation)
    publish(models, config, files, quality)
    print(f"{models / config.name}.* written")


def calibrate(network: keras.Model, validation: Validation, share: float) -> float:
    """Shift the logits of faces and centres until the default threshold is as strict as it shall be.

    It then leaves `share` times the unmatched finds that YuNet makes on the validation scenes. Both are
    shifted by the same amount, which is returned. A score is made of the two, so that one step is nearly
    right and the next one mends it. Hardly any such finds tell nothing, and nothing is shifted.
    """
    if validation.unmatched_finds < _ENOUGH:
        told = f"YuNet finds only {validation.unmatched_finds} faces without a label in the validation scenes"
        print(f"{told}: the scores stay as they were learned; {_ENOUGH} would calibrate them", flush=True)
        return 0.0
    start, shift = network.get_weights(), 0.0
    for _ in range(_STEPS):
        threshold = validation.figures(network.get_weights(), share)["val_threshold"]
        shift += _logit(_SEARCH.score_threshold) - _logit(threshold)
        _shift(network, start, shift)
    return shift


def _logit(score: float) -> float:
    return float(np.log(score / (1 - score)))


def _shift(network: keras.Model, start: Arrays, by: float) -> None:
    network.set_weights(start)
    for level in range(len(network.outputs)):
        layer = network.get_layer(f"head{level}_depth")
        kernel, bias = layer.get_weights()
        bias[PARTS[0]] += by
        layer.set_weights([kernel, bias])


def _convert(network: keras.Model, config: DetectorConfig, folder: Path) -> dict[str, Path]:
    """Write the network for every runtime and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {runtime: folder / f"{config.name}{suffix}" for runtime, suffix in FILES.items()}
    weights = network.get_weights()
    network.save(files["keras"])
    files["litert"].write_bytes(to_litert(weights))
    pictures = _pictures(config)
    files["litert_int8"].write_bytes(to_litert(equalised(weights, pictures), pictures))
    files["opencv"].write_bytes(write_weights(network, Path(config.data.teacher)))
    return files


def _pictures(config: DetectorConfig) -> list[Image]:
    """Return training scenes as the detector sees them, to calibrate the int8 arithmetic with."""
    scenes = read_scenes(Path(config.data.root) / config.data.train, config.data.corrections)
    chosen = scenes[:: max(1, len(scenes) // _CALIBRATED_ON)]
    return [padded(shrink(read_scene(scene.path), _SEARCH.input_size)[0]) for scene in chosen]


def _check(files: dict[str, Path], validation: Validation) -> dict[str, dict[str, float]]:
    """Compare the files on the validation scenes; return each one's recalls at the default threshold."""
    detectors = {
        "opencv": YuNet(files["opencv"]),
        "litert": LiteRTFaces(files["litert"]),
        "litert_int8": LiteRTFaces(files["litert_int8"]),
    }
    found = {name: validation.find(detector.detect) for name, detector in detectors.items()}
    recalls = {name: validation.recalls(faces) for name, faces in found.items()}
    for name, values in recalls.items():
        print(name, ", ".join(f"{key} {value:.4f}" for key, value in values.items()))
    _require_same(found["opencv"], found["litert"])
    loss = recalls["litert"]["val_recall"] - recalls["litert_int8"]["val_recall"]
    if loss > _LARGEST_LOSS:
        raise TrainingError(f"int8 loses {loss:.4f} of recall; at most {_LARGEST_LOSS} is allowed")
    return recalls


def _require_same(first: list[Faces], second: list[Faces]) -> None:
    """Raise TrainingError unless two runtimes find the same faces in the same places."""
    if [len(faces) for faces in first] != [len(faces) for faces in second]:
        raise TrainingError("OpenCV and LiteRT in float32 find different faces")
    difference = max(
        float(np.abs(one - other).max(initial=0)) for one, other in zip(first, second, strict=True)
    )
    print(
        f"OpenCV and LiteRT in float32: {sum(map(len, first))} faces, {difference:.5f} pixels apart at most"
    )
    if not difference <= _LARGEST_DIFFERENCE:  # so that NaN counts as different
        raise TrainingError(f"OpenCV and LiteRT in float32 differ by up to {difference:.4f} pixels")


def main(argv: list[str] | None = None) -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "training.face_detector.export", description=__doc__, formatter_class=form
    )
    parser.add_argument("--run", type=Path, default=Path("runs/detector"), help="run folder (%(default)s)")
    parser.add_argument("--models", type=Path, help="folder of manifest.json (default: the project's models)")
    parser.add_argument("--replace", action="store_true", help="replace a model of the same name")
    options = parser.parse_args(argv)
    with told(parser):
        config = load_detector_config(options.run / "config.yaml")
        export(config, options.run, options.models or share_folder() / "models", options.replace)


if __name__ == "__main__":
    main()
