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

from mask_detector.model_store import load_manifest, share_folder, verified
from training.config import load_config
from training.errors import TrainingError

needs = "training needs TensorFlow with Keras 3: pip install tensorflow onnx"
cv2 = pytest.importorskip("cv2")
tf = pytest.importorskip("tensorflow", reason=needs)
LiteRT = pytest.importorskip("mask_detector.classifiers.litert", reason=needs).LiteRT
evaluate = pytest.importorskip("training.evaluate", reason=needs).evaluate
export_module = pytest.importorskip("training.export", reason=needs)
train = pytest.importorskip("training.train", reason=needs).train

compare, export = export_module.compare, export_module.export
CLASSES = load_manifest().class_ids
COVERED_FROM = {0: 0.45, 1: 0.75, 2: 1.0}  # share of a drawn face above its mask, by class


@pytest.fixture(autouse=True, scope="module")
def without_compiling():
    """Compiling the training step takes longer than the few steps run here."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def draw_face(picture: np.ndarray, box: tuple, label: int, random: np.random.Generator) -> None:
    x, y, w, h = box
    cv2.ellipse(picture, (x + w // 2, y + h // 2), (w // 2, h // 2), 0, 0, 360, (150, 170, 215), -1)
    for eye in (0.3, 0.7):
        cv2.circle(picture, (int(x + eye * w), int(y + 0.35 * h)), 3, (40, 30, 30), -1)
    top = int(y + COVERED_FROM[label] * h)
    cv2.rectangle(picture, (x, top), (x + w, y + h), random.integers(150, 256, 3).tolist(), -1)


def make_scenes(folder: Path, name: str, pictures: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    (folder / name).mkdir(parents=True)
    annotations = []
    for number in range(pictures):
        picture = random.integers(60, 120, (120, 220, 3), np.uint8)
        for place in range(2):
            box, label = (20 + 100 * place, 25, 60, 72), int(random.integers(3))
            draw_face(picture, box, label, random)
            annotations.append({"image_id": number, "category_id": label, "bbox": list(box)})
        cv2.imwrite(str(folder / name / f"{number}.png"), picture)
    content = {
        "images": [{"id": n, "file_name": f"{name}/{n}.png"} for n in range(pictures)],
        "categories": [{"id": n, "name": label} for n, label in enumerate(CLASSES)],
        "annotations": [{"id": n, **annotation} for n, annotation in enumerate(annotations)],
    }
    (folder / f"{name}.json").write_text(json.dumps(content))


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for seed, name in enumerate(("scenes_train", "scenes_val", "scenes_test")):
        make_scenes(folder, name, 8, seed)
    shipped = load_config()
    return replace(
        shipped,
        name="tiny",
        data=replace(
            shipped.data, root=str(folder), train=replace(shipped.data.train, folders=[]), corrections=""
        ),
        synthesis=replace(shipped.synthesis, count=0),
        crops=replace(shipped.crops, size=64),
        model=replace(shipped.model, weights=["none"]),
        train=replace(shipped.train, head_epochs=1, epochs=3, epoch_size=8, batch_size=4),
    )


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


def test_the_exported_files_agree_and_stand_in_the_manifest(config, run, tmp_path):
    content = json.loads((share_folder() / "models" / "manifest.json").read_text())
    content |= {"classifiers": {}, "default_classifier": ""}
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    export(config, run, tmp_path)
    manifest = load_manifest(tmp_path)
    info = manifest.classifier()
    assert (info.name, info.input_size, info.crop_margin) == ("tiny", 64, config.crops.margin)
    assert {verified(file).suffix for file in info.files.values()} == {".keras", ".tflite", ".onnx"}
    classifier = LiteRT(info, info.files["litert"].path, threads=1)
    figures = evaluate(classifier, config, run, tmp_path / "report")
    assert manifest.entries["classifiers"]["tiny"]["quality"]["val"]["faces"] == 16
    assert next(iter(figures.values()))["all"]["faces"] == 16
    assert "| mask |" in (tmp_path / "report" / "report.md").read_text()
    with pytest.raises(TrainingError, match="holds a model 'tiny' already.* --replace"):
        export(config, run, tmp_path)


def test_a_run_without_a_model_cannot_be_exported(config, tmp_path):
    shutil.copy(share_folder() / "models" / "manifest.json", tmp_path)
    with pytest.raises(TrainingError, match="train first"):
        export(config, tmp_path, tmp_path)


@pytest.mark.parametrize("other", [[[0.4, 0.6]], [[0.9, 0.1]], [[np.nan, np.nan]]])
def test_files_that_disagree_are_not_shipped(other):
    compare(np.array([[0.6, 0.4]]), np.array([[0.61, 0.39]]), "equals")
    with pytest.raises(TrainingError, match="differ"):
        compare(np.array([[0.6, 0.4]]), np.array(other), "others")
