"""Training of the face detector: lessons and samples are true, runs go on, and bad input is told."""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training and export need TensorFlow")

import keras
from one_face import one_face_set

from mask_detector.boxes import iou_matrix
from mask_detector.face_detectors.yunet import YuNet
from mask_detector.model_store import load_manifest
from training.errors import TrainingError
from training.face_detector import samples
from training.face_detector.samples import sample
from training.face_detector.scenes import Lesson, Scene, lessons
from training.face_detector.settings import DEFAULT_FILE, DetectorConfig, load_detector_config
from training.face_detector.targets import BOX, COLUMNS, FACE, IGNORED, KIND, KNOWN, POINTS
from training.face_detector.train import lesson_pools, main, train

CONFIG = load_detector_config()


@pytest.fixture(scope="module")
def yunet_file() -> Path:
    return load_manifest().face_detector_files("yunet")["opencv"].path


@pytest.fixture
def tiny_set(tmp_path, astronaut) -> Path:
    return one_face_set(tmp_path, astronaut)


def test_labels_take_the_teacher_s_manner_and_unlabelled_faces_are_learned_or_left_alone():
    labelled = np.array([[10, 10, 40, 40]], np.float32)
    sure, unsure, doubtful, same = np.zeros((4, 15), np.float32)
    same[:4], same[14] = (10, 10, 40, 50), 0.9
    sure[:4], sure[14] = (100, 10, 40, 40), 0.95
    unsure[:4], unsure[14] = (200, 10, 40, 40), 0.6
    doubtful[:4], doubtful[14] = (300, 10, 40, 40), 0.2
    scenes = [Scene(Path("a.jpg"), "s", labelled, ("mask",))] * 20
    found = [np.stack([same, sure, unsure, doubtful])] * 20
    lesson = lessons(scenes, found, dataclasses.replace(CONFIG.data, masked_scale=1.0), "no_mask")[0]
    assert lesson.rows[:, KIND].tolist() == [FACE, FACE, IGNORED]
    assert lesson.rows[0, BOX] == pytest.approx([10, 10, 50, 60])
    assert lesson.rows[:, KNOWN].tolist() == [1, 1, 1]
    assert lesson.bare.tolist() == [False, False, False]


def test_a_sample_shows_the_face_where_its_row_says(astronaut, yunet_file, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), astronaut)
    (face,) = YuNet(yunet_file).detect(astronaut)
    row = np.zeros((1, COLUMNS), np.float32)
    row[0, KIND], row[0, BOX] = FACE, [*face[:2], *(face[:2] + face[2:4])]
    row[0, POINTS], row[0, KNOWN] = face[4:14], 1
    pools = [(1.0, [Lesson(tmp_path / "a.png", row, np.array([True]))])]
    plain = dataclasses.replace(CONFIG.samples, anywhere=0.0, mosaic=0.0, face=[60.0, 150.0])
    plain = dataclasses.replace(
        plain, covered=0.0, colour=0.0, grey=0.0, dark=0.0, soft=0.0, blur=0.0, noise=0.0, jpeg=0.0
    )
    for seed in range(8):
        picture, (told, *others) = sample(pools, plain, np.random.default_rng(seed))
        assert picture.shape == (416, 416, 3) and not others
        (seen,) = YuNet(yunet_file).detect(picture)
        box = np.concatenate([told[BOX][:2], told[BOX][2:] - told[BOX][:2]])
        assert iou_matrix([box], [seen[:4]])[0, 0] > 0.7
        np.testing.assert_allclose(told[POINTS], seen[4:14], atol=0.12 * box[2:].max())


def tiny_config(folder: Path, yunet_file: Path, epochs: int) -> DetectorConfig:
    data = dataclasses.replace(
        CONFIG.data, root=str(folder), train="train.json", val="val.json", corrections=""
    )
    samples = dataclasses.replace(CONFIG.samples, size=128, face=[20.0, 90.0], pattern_pictures=4)
    samples = dataclasses.replace(samples, backgrounds=0.2, statues=0.2)
    schedule = dataclasses.replace(CONFIG.train, epochs=epochs, epoch_size=6, batch_size=3)
    data = dataclasses.replace(data, start=str(yunet_file), teacher=str(yunet_file), backgrounds=["*.jpg"])
    cv2.imwrite(str(folder / "wall.jpg"), np.full((90, 120, 3), 140, np.uint8))
    return dataclasses.replace(CONFIG, data=data, samples=samples, train=schedule)


def test_a_run_goes_on_after_a_kill_as_if_nothing_had_happened(tiny_set, yunet_file, tmp_path, monkeypatch):
    config = tiny_config(tiny_set, yunet_file, epochs=2)
    whole = train(config, tmp_path / "whole")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("training.face_detector.train.write_history", killed)  # after the first checkpoint
        train(config, tmp_path / "parts")
    with pytest.raises(TrainingError, match="--resume"):
        train(config, tmp_path / "parts")
    parts = train(config, tmp_path / "parts", resume=True)
    one, other = (keras.saving.load_model(path).get_weights() for path in (whole, parts))
    for first, second in zip(one, other, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)
    assert (tmp_path / "whole" / "history.csv").read_text().count("\n") == 3
    assert (tmp_path / "whole" / "curves.png").stat().st_size > 1000


def moved(folder: Path, by: int) -> None:
    """Put other pictures, as many, in the place of those of the set: the same, with the face elsewhere."""
    content = json.loads((folder / "train.json").read_text())
    for picture, face in zip(content["images"], content["annotations"], strict=True):
        image = cv2.imread(str(folder / picture["file_name"]))
        picture["file_name"] = f"moved_{picture['file_name']}"
        cv2.imwrite(str(folder / picture["file_name"]), np.roll(image, by, axis=0))
        face["bbox"][1] += by
    (folder / "train.json").write_text(json.dumps(content))


def test_a_run_folder_has_no_lessons_of_other_data(tiny_set, yunet_file, tmp_path):
    config, used, fresh = tiny_config(tiny_set, yunet_file, epochs=1), tmp_path / "used", tmp_path / "fresh"
    first = lesson_pools(config, used)
    times = {path: path.stat().st_mtime_ns for path in used.rglob("*.*")}
    lesson_pools(config, used)
    assert {path: path.stat().st_mtime_ns for path in used.rglob("*.*")} == times
    moved(tiny_set, 20)
    (tiny_set / "wall.jpg").rename(tiny_set / "a_wall.jpg")
    cv2.imwrite(str(tiny_set / "wall.jpg"), np.full((90, 120, 3), 30, np.uint8))
    again, wanted = lesson_pools(config, used), lesson_pools(config, fresh)
    assert not np.array_equal(first[0][1][0].rows, again[0][1][0].rows)
    for (_, ones), (_, others) in zip(again, wanted, strict=True):
        for one, other in zip(ones, others, strict=True):
            np.testing.assert_array_equal(one.rows, other.rows)
            assert one.path.read_bytes() == other.path.read_bytes()


def test_pictures_that_cannot_be_read_and_validation_without_faces_are_told(tiny_set, yunet_file, tmp_path):
    config = tiny_config(tiny_set, yunet_file, epochs=1)
    (tiny_set / "1.png").write_bytes(b"no picture")
    with pytest.raises(TrainingError, match="the picture .*1.png cannot be read"):
        lesson_pools(config, tmp_path / "run")
    content = json.loads((tiny_set / "val.json").read_text())
    content |= {"images": content["images"][:1], "annotations": []}
    (tiny_set / "val.json").write_text(json.dumps(content))
    with pytest.raises(TrainingError, match="data.val is val.json, without a face from 24 px"):
        train(config, tmp_path / "run")


def test_pictures_are_kept_in_memory_as_far_as_there_is_room(tiny_set, monkeypatch):
    paths = [tiny_set / f"{number}.png" for number in range(4)]
    monkeypatch.setattr(samples, "_kept", {})
    monkeypatch.setattr(samples, "_MOST_KEPT", 2 * cv2.imread(str(paths[0])).nbytes)
    for path in paths * 2:
        np.testing.assert_array_equal(samples._picture(path), cv2.imread(str(path)))
    assert list(samples._kept) == paths[:2]


def test_a_run_goes_on_with_its_own_settings(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--run", str(tmp_path), "--resume", "--config", str(DEFAULT_FILE)])
    assert f"{tmp_path} keeps its own settings: leave out --config" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"samples": {"size": 100}}, "multiples of 32"),
        ({"train": {"epochs": 0}}, "at least 1"),
        ({"train": {"speed": 9}}, "unknown setting 'train.speed'"),
        ({"samples": {"drawn": 0.9, "statues": 0.2}}, "leave nothing to real scenes"),
        ({"data": {"backgrounds": ["posters"]}}, "samples.backgrounds is 0"),
    ],
)
def test_a_wrong_setting_stops_before_training(tmp_path, change, told):
    import yaml

    content = yaml.safe_load(DEFAULT_FILE.read_text())
    for section, values in change.items():
        content[section] |= values
    (tmp_path / "wrong.yaml").write_text(json.dumps(content))
    with pytest.raises(TrainingError, match=told):
        load_detector_config(tmp_path / "wrong.yaml")
