"""Training end to end on drawn faces: scenes in, a calibrated model with its manifest entry out.

Tiny and without ImageNet weights, so nothing is learnt here that matters; what counts is that each
step takes up what the one before it wrote, and that a run which was stopped ends like one which was not.
"""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_scenes import CLASSES, tiny_run

from mask_detector.model_store import ClassifierInfo, load_manifest, share_folder, verified
from training.config import DEFAULT_FILE, load_config
from training.cropset import CropSet
from training.errors import TrainingError
from training.face_detector.nobody import PATTERNS
from training.options import add_settings, settings_for, step_parser

needs = "training needs TensorFlow with Keras 3: pip install tensorflow onnx"
cv2 = pytest.importorskip("cv2")
tf = pytest.importorskip("tensorflow", reason=needs)
keras = pytest.importorskip("keras", reason=needs)
pytest.importorskip("mask_detector.classifiers.litert", reason=needs)
evaluate = pytest.importorskip("training.evaluate", reason=needs)
export_module = pytest.importorskip("training.export", reason=needs)
prepare = pytest.importorskip("training.prepare", reason=needs)
require_judged = pytest.importorskip("training.figures", reason=needs).require_judged
train_module = pytest.importorskip("training.train", reason=needs)
load_state = pytest.importorskip("training.state", reason=needs).load_state
build_model = pytest.importorskip("training.model", reason=needs).build_model
manifest_module = pytest.importorskip("training.manifest", reason=needs)

describe, LICENCE = manifest_module.describe, manifest_module.LICENCE
compare, export, train = export_module.compare, export_module.export, train_module.train


@pytest.fixture(autouse=True, scope="module")
def without_compiling():
    """Compiling the training step takes longer than the few steps run here."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return tiny_run(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(config, folder)
    return folder


def history(run: Path) -> list[dict[str, float]]:
    with (run / "history.csv").open() as file:
        return [
            {key: float(value) for key, value in row.items() if key != "seconds"}
            for row in csv.DictReader(file)
        ]


def test_a_run_keeps_its_settings_history_curves_and_best_model(config, run):
    assert load_config(run / "config.yaml") == config
    assert [row["epoch"] for row in history(run)] == [1, 2, 3]
    assert (run / "best.keras").is_file()
    assert (run / "curves.png").is_file()
    assert list((run / "tensorboard").glob("events.*"))
    with pytest.raises(TrainingError, match="holds a run already"):
        train(config, run)


def test_a_run_that_was_stopped_ends_like_one_that_was_not(config, run, tmp_path):
    (tmp_path / "history.csv").mkdir()  # so that writing fails after each epoch, as on a full disk
    for resume in (False, True):
        with pytest.raises(TrainingError, match="cannot write .*history.csv"):
            train(config, tmp_path, resume)
    (tmp_path / "history.csv").rmdir()
    train(config, tmp_path, resume=True)
    assert [row["epoch"] for row in history(tmp_path)] == [1, 2, 3]
    for stopped, whole in zip(history(tmp_path), history(run), strict=True):
        assert stopped == pytest.approx(whole, abs=1e-4)


def test_the_best_model_is_the_mean_of_start_and_best_epoch_that_was_asked_for(config, run):
    state = load_state(run / "checkpoint.npz")
    model = keras.saving.load_model(run / "best.keras", compile=False)
    for weights, start, best in zip(model.get_weights(), state.start, state.best, strict=True):
        np.testing.assert_allclose(weights, 0.25 * start + 0.75 * best, atol=1e-6)
    assert any(np.abs(start - best).max() > 1e-4 for start, best in zip(state.start, state.best, strict=True))
    keras.utils.set_random_seed(config.seed)
    began = build_model(config.model, config.crops.size, len(CLASSES) + 1).get_weights()
    for start, weights in zip(state.start, began, strict=True):
        np.testing.assert_allclose(start, weights, atol=1e-6)


@pytest.fixture(scope="module")
def exported(config, run, tmp_path_factory):
    """A models folder of its own with the run's model."""
    folder = tmp_path_factory.mktemp("exported") / "my_models"
    export(config, run, folder)
    return folder


def test_the_exported_files_agree_and_stand_in_the_manifest(config, run, exported):
    manifest = load_manifest(exported)
    info = manifest.classifier()
    assert (info.name, info.input_size, info.crop_margin) == ("tiny", 64, config.crops.margin)
    assert {verified(file).suffix for file in info.files.values()} == {".keras", ".tflite", ".onnx"}
    entry = manifest.entries["classifiers"]["tiny"]
    assert {name: figures["faces"] for name, figures in entry["quality"].items()} == {"val": 16}
    assert entry["licence"] == "that of its makers; made from no other weights"
    with pytest.raises(TrainingError, match="holds a model 'tiny' already.* --replace"):
        export(config, run, exported)


def test_the_report_is_on_the_model_of_the_run_and_lies_beside_it(run, exported, capsys):
    with pytest.raises(SystemExit):  # not on the shipped one in its place
        evaluate.main(["--run", str(run)])
    assert "holds no classifier 'tiny': export the run first" in capsys.readouterr().err
    evaluate.main(["--run", str(run), "--models", str(exported)])
    folder = exported / "report" / "tiny"
    report = (folder / "report.md").read_text()
    assert "| mask |" in report and capsys.readouterr().out.strip().endswith(report.strip())
    figures = json.loads((folder / "report.json").read_text())
    assert figures["model"] == "tiny"
    assert [groups["all"]["faces"] for groups in figures["sets"].values()][:2] == [16, 8]
    (in_bad_conditions,) = figures["conditions"].values()  # the test faces are too small to judge
    assert {row["faces"] for row in in_bad_conditions.values()} == {16}
    published = figures["published"]
    assert published["labelled faces of the validation scenes"]["there"] == 16
    assert published[PATTERNS]["there"] == published[f"{PATTERNS}, in a clip of 640x480"]["there"] == 200
    for row in published.values():
        assert all(
            0 <= row[one]["published"] <= row[one]["found"] <= row["there"] for one in row.keys() - {"there"}
        )


@pytest.mark.parametrize("scenes", [[], ["scenes_test.json"]])
def test_validation_without_a_face_to_judge_stops_before_training(config, tmp_path, scenes):
    data = replace(config.data, val=replace(config.data.val, scenes=scenes))
    with pytest.raises(TrainingError, match="no face from 32 px of class mask, improper_mask, no_mask, by"):
        train(replace(config, data=data), tmp_path)
    assert load_config(tmp_path / "config.yaml").data == data  # there before crops are cut


def test_a_class_that_validation_lacks_is_told(capsys):
    blank = np.zeros((4, 8, 8, 3), np.uint8)
    names = np.array(["a"] * 4)
    faces = CropSet(blank, np.array([0, 0, 1, 2]), np.float32([40, 50, 20, 60]), names, names)
    require_judged(faces)
    assert "no face from 32 px of class improper_mask: how well" in capsys.readouterr().out


def test_a_run_keeps_its_own_settings(run, tmp_path, capsys):
    kept = (run / "config.yaml").read_text()
    for step, more in ((train_module, ["--resume"]), (prepare, [])):
        with pytest.raises(SystemExit):
            step.main(["--run", str(run), "--config", str(DEFAULT_FILE), "--weights", "none", *more])
        assert "keeps its own settings: leave out --config and --weights" in capsys.readouterr().err
    prepare.main(["--run", str(run)])
    assert (run / "config.yaml").read_text() == kept
    shutil.copy(run / "config.yaml", tmp_path)
    prepare.main(["--run", str(tmp_path)])
    assert (tmp_path / "config.yaml").read_text() == kept
    parser = step_parser("")
    add_settings(parser)
    taken = settings_for(parser.parse_args(["--run", str(tmp_path)]))
    assert taken == load_config(run / "config.yaml"), "training takes what was prepared"


def test_the_manifest_names_what_the_weights_were_made_from_that_a_model_starts_with(config):
    shipped = load_manifest()
    file, stated = shipped.classifier().files["keras"].path, shipped.entries["classifiers"]
    card = replace(config.card, credits=["my own pictures"])
    mine = replace(config, card=card, model=replace(config.model, weights=[str(file)]))
    entry, theirs = describe(mine, 1.0, {}), stated[shipped.default_classifier]
    assert entry["training_data"] == ["my own pictures", *theirs["training_data"]]
    assert entry["licence"] == theirs["licence"]
    later = describe(replace(mine, model=replace(config.model, weights=["runs/mine/best.keras"])), 1.0, {})
    assert (later["training_data"], later["licence"]) == (["my own pictures"], LICENCE)


def test_a_model_with_crops_of_the_face_alone_can_be_evaluated(config, tmp_path):
    folder, cut = evaluate.cut_for(ClassifierInfo("theirs", 96, 0.8, {}), config, tmp_path)
    assert (folder, cut.crops.size, cut.crops.margin) == (tmp_path / "theirs", 96, 0.8)


def test_a_run_without_a_model_cannot_be_exported(config, tmp_path):
    shutil.copy(share_folder() / "models" / "manifest.json", tmp_path)
    with pytest.raises(TrainingError, match="train first"):
        export(config, tmp_path, tmp_path)


def test_a_near_tie_is_no_disagreement():
    compare(np.array([[0.500001, 0.499999]]), np.array([[0.499999, 0.500001]]), "near")
    with pytest.raises(TrainingError, match="in class on 1 of 1"):
        compare(np.array([[0.515, 0.485]]), np.array([[0.499, 0.501]]), "not so near")


@pytest.mark.parametrize("other", [[[0.4, 0.6]], [[0.9, 0.1]], [[np.nan, np.nan]]])
def test_files_that_disagree_are_not_shipped(other):
    compare(np.array([[0.6, 0.4]]), np.array([[0.61, 0.39]]), "equals")
    with pytest.raises(TrainingError, match="differ"):
        compare(np.array([[0.6, 0.4]]), np.array(other), "others")
