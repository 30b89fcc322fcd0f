"""What becomes of a trained face detector: it is exported, compared, and judged by matching."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training and export need TensorFlow")

from one_face import one_face_set

from mask_detector.face_detectors.yunet import YuNet
from mask_detector.model_store import load_manifest, verified
from training.errors import TrainingError
from training.face_detector import compare
from training.face_detector.drawn import pattern
from training.face_detector.export import calibrate, export
from training.face_detector.matching import match
from training.face_detector.network import build_network
from training.face_detector.publish import publish
from training.face_detector.report import targets, write_report
from training.face_detector.scenes import read_scenes
from training.face_detector.settings import load_detector_config
from training.face_detector.validate import Validation

CONFIG = load_detector_config()
YUNET = load_manifest().face_detector_files("yunet")["opencv"].path


@pytest.fixture
def mine(tmp_path) -> Path:
    """A models folder with the shipped detector's files, as if somebody had trained them."""
    files = {}
    for runtime, file in load_manifest().face_detector_files("masked_yunet").items():
        files[runtime] = tmp_path / file.path.name.replace("masked_yunet", "mine")
        shutil.copy(file.path, files[runtime])
    config = dataclasses.replace(CONFIG, name="mine")
    publish(tmp_path / "models", config, files, {"litert": {"val_mask": 0.9, "val_recall": 0.9}})
    return tmp_path / "models"


@pytest.fixture
def tiny_set(tmp_path, astronaut) -> Path:
    return one_face_set(tmp_path, astronaut)


def test_an_exported_detector_is_stated_beside_what_is_there_and_replaced_only_when_asked(mine, tmp_path):
    assert "# mine" in (mine / "mine.md").read_text()
    assert all(verified(file) for file in load_manifest(mine).face_detector_files("mine").values())
    content = json.loads((mine / "manifest.json").read_text())
    del content["face_detectors"]
    content["classifiers"]["theirs"] = {"files": {}}  # as training.adopt leaves it
    (mine / "manifest.json").write_text(json.dumps(content))
    publish(mine, dataclasses.replace(CONFIG, name="mine"), {}, {"litert": {"val_recall": 0.9}})
    stated = load_manifest(mine).entries
    assert list(stated["classifiers"]) == ["theirs"] and list(stated["face_detectors"]) == ["mine"]
    for name in ("mine", "theirs"):
        with pytest.raises(TrainingError, match=f"holds a model '{name}' already.* --replace"):
            export(dataclasses.replace(CONFIG, name=name), tmp_path / "run", mine)


def test_a_detector_of_any_name_and_folder_is_compared_with_the_shipped_one(
    mine, tiny_set, tmp_path, monkeypatch
):
    monkeypatch.setattr(compare, "_ROUNDS", 1)
    scenes = read_scenes(tiny_set / "val.json")
    scenes = [dataclasses.replace(scenes[0], labels=("mask",)), *scenes[1:]]
    results = compare.compare(compare.detectors(None, "mine", mine), scenes, {})
    names = ["mine int8", "mine float32", "mine in OpenCV", "yunet", "haar", "masked_yunet as shipped"]
    assert [result.name for result in results] == names
    write_report(tmp_path, results, compare.labelled(scenes), ["val.json"])
    assert "| target | asked for | mine " in (tmp_path / "report.md").read_text()
    with pytest.raises(TrainingError, match="yunet has no file for litert"):
        compare.detectors(None, "yunet")


def test_a_report_needs_no_face_of_every_class(mine, tiny_set, tmp_path, monkeypatch):
    monkeypatch.setattr(compare, "_ROUNDS", 1)
    scenes = read_scenes(tiny_set / "val.json")  # bare faces alone
    results = compare.compare(compare.detectors(None, "mine", mine), scenes, {})
    rows, _ = targets(results, compare.labelled(scenes))
    assert [row.split(" | ")[0] for row in rows[2:]] == [
        "| recall no_mask",
        "| time of a 640×480 frame over YuNet's",
        "| recall lost by int8",
    ]


def test_what_is_no_face_of_a_scene_is_not_learned(tiny_set):
    content = json.loads((tiny_set / "val.json").read_text())
    crowd, line, torn = content["annotations"][:3]
    crowd["iscrowd"], line["bbox"][2] = 1, 0
    del torn["bbox"]
    (tiny_set / "val.json").write_text(json.dumps(content))
    assert [len(scene.boxes) for scene in read_scenes(tiny_set / "val.json")] == [0, 0, 0, 1]


def test_scores_are_not_calibrated_by_hardly_any_finds(tiny_set, capsys):
    data = dataclasses.replace(CONFIG.data, root=str(tiny_set), val="val.json", teacher=str(YUNET))
    validation = Validation(dataclasses.replace(CONFIG, data=data))
    network = build_network()
    before = network.get_weights()
    assert calibrate(network, validation, 0.75) == 0
    assert all((one == other).all() for one, other in zip(before, network.get_weights(), strict=True))
    assert "YuNet finds only 0 faces without a label" in capsys.readouterr().out


def test_matching_counts_each_face_once_and_leaves_small_ones_out():
    face = np.zeros((4, 15), np.float32)
    face[:, 2:4], face[:, 14] = 40, (0.9, 0.8, 0.7, 0.6)
    face[:, 0] = (0, 3, 200, 300)  # right, the same again, nobody, one too small to judge
    face[3, 2:4] = 10
    labels = np.array([[0, 0, 40, 40], [300, 0, 10, 10], [400, 0, 50, 50]], np.float32)
    found = match([face], [labels])
    assert found.face_scores.tolist() == pytest.approx([0.9, 0.6, 0.0])
    assert found.unmatched(0.5) == 2 and found.unmatched(0.75) == 1
    assert found.threshold_for(1.0) == pytest.approx(0.7, abs=1e-3)
    assert (found.face_scores >= found.threshold_for(9.0)).tolist() == [True, True, False]


def test_drawn_patterns_are_not_faces():
    detector = YuNet(YUNET)
    pictures = [pattern(np.random.default_rng(seed)) for seed in range(20)]
    assert len({picture.tobytes() for picture in pictures}) == 20
    assert sum(len(detector.detect(picture)) for picture in pictures) <= 1
