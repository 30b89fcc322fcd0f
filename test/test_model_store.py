"""The manifest and its files: what is shipped is whole, and what is not is said clearly."""

import json
import shutil
from pathlib import Path

import cv2
import pytest

from mask_detector.classifiers import make_classifier
from mask_detector.errors import MaskDetectorError, ModelError
from mask_detector.face_detectors import make_face_detector
from mask_detector.model_store import (
    ModelFile,
    existing,
    find_classifier,
    load_manifest,
    share_folder,
    verified,
)


def classifier_file() -> Path:
    return load_manifest().classifier().files["litert"].path


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of the shipped models that a test may damage."""
    return Path(shutil.copytree(share_folder() / "models", tmp_path / "models"))


def all_files(folder: Path) -> list[ModelFile]:
    manifest = load_manifest(folder)
    files = [
        file for name in manifest.entries["classifiers"] for file in manifest.classifier(name).files.values()
    ]
    detectors = manifest.entries["face_detectors"]
    return files + [file for name in detectors for file in manifest.face_detector_files(name).values()]


def test_every_shipped_file_is_as_the_manifest_states():
    files = all_files(share_folder() / "models")
    assert len(files) >= 3
    for file in files:
        assert verified(file) == file.path


def test_there_are_three_classes_and_a_default_classifier():
    manifest = load_manifest()
    assert len(set(manifest.class_ids)) == 3
    assert set(manifest.classifier().files) >= {"keras", "litert"}


def damage_by_removing(path: Path) -> None:
    path.unlink()


def damage_by_cutting(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def damage_by_one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def damage_by_git_lfs(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (damage_by_removing, "is missing"),
        (damage_by_cutting, "bytes instead of"),
        (damage_by_one_bit, "has sha256 .* instead of"),
        (damage_by_git_lfs, "git lfs pull"),
    ],
)
def test_a_damaged_model_names_the_file_and_the_cure(models, damage, told):
    file = load_manifest(models).classifier().files["litert"]
    damage(file.path)
    with pytest.raises(ModelError, match=told) as error:
        verified(file)
    assert str(file.path) in str(error.value)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"classes": 3}'])
def test_a_damaged_manifest_names_itself(models, content):
    (models / "manifest.json").write_text(content)
    with pytest.raises(ModelError, match="manifest.json is damaged"):
        load_manifest(models)


def test_a_missing_manifest_names_its_place(tmp_path):
    with pytest.raises(ModelError, match=f"{tmp_path}/manifest.json is missing"):
        load_manifest(tmp_path)


def test_an_unknown_model_is_answered_with_the_known_ones():
    manifest = load_manifest()
    with pytest.raises(
        ModelError, match="no model 'resnet' .* choose one of .*" + manifest.default_classifier
    ):
        manifest.classifier("resnet")


def test_a_model_without_a_file_for_the_runtime_says_which_it_has(models):
    entries = json.loads((models / "manifest.json").read_text())
    del entries["classifiers"][entries["default_classifier"]]["files"]["keras"]
    (models / "manifest.json").write_text(json.dumps(entries))
    with pytest.raises(ModelError, match="has no file for runtime 'keras'"):
        make_classifier(str(models), runtime="keras")


def test_a_manifest_that_has_changed_is_read_again(models):
    assert load_manifest(models) is load_manifest(models)
    entries = json.loads((models / "manifest.json").read_text())
    entries["classifiers"][entries["default_classifier"]]["crop_margin"] = 1.75
    (models / "manifest.json").write_text(json.dumps(entries))
    assert find_classifier(str(models)).crop_margin == 1.75


def test_an_entry_that_is_not_whole_says_what_it_lacks(models):
    entries = json.loads((models / "manifest.json").read_text())
    del entries["classifiers"][entries["default_classifier"]]["crop_margin"]
    (models / "manifest.json").write_text(json.dumps(entries))
    with pytest.raises(ModelError, match=r"manifest.json: '.*' lacks crop_margin"):
        find_classifier(str(models))


@pytest.mark.parametrize(
    ("runtime", "change", "told"),
    [
        ("litert", {"input_size": 96}, "does not take faces of 96x96"),
        ("opencv", {"background_threshold": None}, "gives 4 scores for a face instead of 3"),
    ],
)
def test_a_model_that_is_no_such_classifier_is_refused_before_the_first_image(models, runtime, change, told):
    entries = json.loads((models / "manifest.json").read_text())
    entries["classifiers"][entries["default_classifier"]].update(change)
    (models / "manifest.json").write_text(json.dumps(entries))
    with pytest.raises(ModelError, match=told):
        make_classifier(str(models), runtime)


def test_a_classifier_of_one_s_own_is_found_by_its_path(models, tmp_path):
    name = load_manifest().default_classifier
    for path in (models, models / name):
        assert find_classifier(str(path)).files["litert"].path.parent == models
    with pytest.raises(ModelError, match="no model 'resnet' among the classifiers of .*models"):
        find_classifier(str(models / "resnet"))
    with pytest.raises(ModelError, match="/nowhere/manifest.json is missing"):
        find_classifier("/nowhere/mine")
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(ModelError, match="a.jpg/manifest.json cannot be read: Not a directory"):
        find_classifier(str(tmp_path / "a.jpg" / "mine"))


def test_a_classifier_of_other_classes_is_refused(models):
    content = (models / "manifest.json").read_text().replace('"id": "mask"', '"id": "masked"')
    (models / "manifest.json").write_text(content)
    with pytest.raises(ModelError, match="has the classes .'masked', .* instead of .'mask', "):
        find_classifier(str(models))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: make_classifier(runtime="abacus"), "runtime 'abacus' is unknown: choose one of auto"),
        (lambda: make_face_detector("eyes"), "face detector 'eyes' is unknown: choose one of auto"),
        (lambda: make_face_detector(model="/nowhere.onnx"), "/nowhere.onnx is missing"),
        (lambda: make_face_detector("haar", model="any.onnx"), "'haar' takes no model, but 'any.onnx'"),
        (lambda: make_face_detector(model=__file__), "is not a YuNet file"),
        (lambda: make_face_detector(model=str(classifier_file())), "is not a face detector for LiteRT"),
        (lambda: existing(Path("/nowhere")), "/nowhere is missing"),
    ],
)
def test_wrong_names_are_refused_with_what_to_do(make, told):
    with pytest.raises(MaskDetectorError, match=told):
        make()


def test_an_opencv_without_cascades_is_named_with_what_to_do(monkeypatch):
    monkeypatch.delattr(cv2, "CascadeClassifier")  # as OpenCV 5 has it
    with pytest.raises(ModelError, match="has no Haar cascades any more: choose another face detector"):
        make_face_detector("haar")
