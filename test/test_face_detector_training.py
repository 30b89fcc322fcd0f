"""The training of the face detector: YuNet in Keras is YuNet, lessons are true, and faces are learned."""

import dataclasses
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training and export need TensorFlow")

import keras

from mask_detector.boxes import iou_matrix
from mask_detector.face_detectors import FaceSearch
from mask_detector.face_detectors.cells import find_faces, level_of
from mask_detector.face_detectors.litert import LiteRTFaces
from mask_detector.face_detectors.yunet import YuNet
from mask_detector.model_store import load_manifest, verified
from training.errors import TrainingError
from training.face_detector import compare, samples
from training.face_detector.assign import assign, boxes_of, grid
from training.face_detector.drawn import pattern
from training.face_detector.export import export
from training.face_detector.loss import detection_loss
from training.face_detector.matching import match
from training.face_detector.network import build_network
from training.face_detector.publish import publish
from training.face_detector.report import write_report
from training.face_detector.samples import sample
from training.face_detector.scenes import Lesson, Scene, lessons, read_scenes
from training.face_detector.settings import DEFAULT_FILE, DetectorConfig, load_detector_config
from training.face_detector.targets import BOX, COLUMNS, FACE, IGNORED, KIND, KNOWN, POINTS
from training.face_detector.to_litert import to_litert
from training.face_detector.train import learner, lesson_pools, main, train
from training.face_detector.yunet_layout import read_weights, write_weights

FACE_BOX = (178, 63, 90, 113)
CONFIG = load_detector_config()


@pytest.fixture(scope="module")
def yunet_file() -> Path:
    return load_manifest().face_detector_files("yunet")["opencv"].path


@pytest.fixture(scope="module")
def network(yunet_file):
    made = build_network()
    read_weights(made, yunet_file)
    return made


def test_yunet_in_keras_answers_as_the_published_file_does(network, yunet_file, astronaut):
    picture = np.ascontiguousarray(astronaut[:480, :448])
    maps = [keras.ops.convert_to_numpy(level)[0] for level in network(picture[None].astype(np.float32))]
    theirs = YuNet(yunet_file)._levels(picture)
    for ours, level in zip(map(level_of, maps), theirs, strict=True):
        for mine, other in zip(ours, level, strict=True):
            np.testing.assert_allclose(mine, other, atol=1e-4)


def test_weights_come_back_from_the_file_that_they_were_written_into(network, yunet_file, tmp_path):
    changed = build_network()
    changed.set_weights([weights + 0.01 for weights in network.get_weights()])
    (tmp_path / "changed.onnx").write_bytes(write_weights(changed, yunet_file))
    again = build_network()
    read_weights(again, tmp_path / "changed.onnx")
    for one, other in zip(changed.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("size", [(480, 640), (640, 352), (64, 64)])
def test_one_litert_file_serves_pictures_of_every_size(network, yunet_file, astronaut, tmp_path, size):
    (tmp_path / "any.tflite").write_bytes(to_litert(network.get_weights()))
    picture = cv2.resize(astronaut, size[::-1])
    search = FaceSearch(score_threshold=0.3, min_size=1)
    expected = YuNet(yunet_file, search).detect(picture)
    found = LiteRTFaces(tmp_path / "any.tflite", search).detect(picture)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=0.01)


def rows(*faces: tuple[int, tuple[float, ...]]) -> np.ndarray:
    made = np.zeros((1, 4, COLUMNS), np.float32)
    for row, (kind, box) in zip(made[0], faces, strict=False):
        row[KIND], row[BOX] = kind, box
    return made


def test_cells_are_paired_with_the_face_that_they_lie_in():
    cells = grid(128)
    assert len(cells) == 16 * 16 + 8 * 8 + 4 * 4
    maps = np.zeros((1, len(cells), 16), np.float32)
    faces = rows((FACE, (10, 10, 50, 60)), (FACE, (70, 60, 120, 120)), (IGNORED, (80, 0, 120, 30)))
    found = assign(cells, faces, maps)
    positive, row, ignored = (np.array(part)[0] for part in found[:3])
    middles = cells[:, :2] + cells[:, 2:] / 2
    for number, box in ((0, (10, 10, 50, 60)), (1, (70, 60, 120, 120))):
        mine = middles[positive & (row == number)]
        assert 1 <= len(mine) <= 10
        assert (mine > np.array(box[:2]) - 32).all() and (mine < np.array(box[2:]) + 32).all()
    inside = ((middles > (80, 0)) & (middles < (120, 30))).all(axis=1)
    np.testing.assert_array_equal(ignored, inside)


def test_a_picture_without_faces_teaches_that_there_are_none():
    maps = np.zeros((1, len(grid(64)), 16), np.float32)
    loss = detection_loss(64)
    unsure = float(loss(rows()[:, :, :], maps))
    maps[..., 1] = -8
    assert 0 < float(loss(rows(), maps)) < 0.01 * unsure


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


def test_a_face_that_was_not_seen_is_seen_after_training_on_it(astronaut, yunet_file):
    picture = cv2.resize(astronaut[:224, 100:324], (128, 128))
    box = np.array([(FACE_BOX[0] - 100), FACE_BOX[1], FACE_BOX[2], FACE_BOX[3]]) * 128 / 224
    hidden = picture.copy()
    x, y, w, h = box.round().astype(int)
    hidden[y + h // 6 : y + h, x : x + w] = hidden[:1, :1]
    low = FaceSearch(score_threshold=0.5, min_size=1)
    assert not len(YuNet(yunet_file, low).detect(hidden))
    small = dataclasses.replace(CONFIG.samples, size=128)
    start = dataclasses.replace(CONFIG.data, start=str(yunet_file))
    model = learner(dataclasses.replace(CONFIG, samples=small, data=start))
    shown = np.stack([hidden, picture[:, ::-1], np.full_like(hidden, 90), hidden]).astype(np.float32)
    faces = np.zeros((4, 4, COLUMNS), np.float32)
    for number, left in ((0, box[0]), (1, 128 - box[0] - box[2]), (3, box[0])):
        faces[number, 0, KIND] = FACE
        faces[number, 0, BOX] = (left, box[1], left + box[2], box[1] + box[3])
    losses = [float(model.train_on_batch(shown, faces)) for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    network = build_network()
    network.set_weights(model.get_weights())

    def levels(image: np.ndarray) -> list:
        return [
            level_of(keras.ops.convert_to_numpy(level)[0])
            for level in network(image[None].astype(np.float32))
        ]

    (found,) = find_faces(hidden, levels, low)
    assert iou_matrix([box], [found[:4]])[0, 0] > 0.6
    assert not len(find_faces(shown[2].astype(np.uint8), levels, low))


def test_boxes_are_decoded_alike_for_training_and_at_run_time(network, astronaut):
    picture = np.ascontiguousarray(astronaut[:320, 64:384])
    maps = [keras.ops.convert_to_numpy(level)[0] for level in network(picture[None].astype(np.float32))]
    (found,) = find_faces(picture, lambda image: [level_of(level) for level in maps], FaceSearch())
    flat = np.concatenate([level.reshape(-1, 16) for level in maps])[None]
    boxes = np.array(boxes_of(grid(320), flat))[0]
    corners = np.concatenate([found[:2], found[:2] + found[2:4]])
    assert np.abs(boxes - corners).max(axis=1).min() < 0.01


@pytest.fixture
def tiny_set(tmp_path, astronaut) -> Path:
    """Two COCO files of a few drawn scenes with the one face that the project ships."""
    images, faces = [], []
    for number in range(4):
        picture = np.full((260, 300, 3), 60 * number, np.uint8)
        picture[:210, 40 + 10 * number : 250 + 10 * number] = astronaut[:210, 120:330]
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture)
        images.append({"id": number, "file_name": f"{number}.png"})
        box = [FACE_BOX[0] - 80 + 10 * number, *FACE_BOX[1:]]
        faces.append({"id": number, "image_id": number, "bbox": box, "category_id": 1})
    content = {"images": images, "annotations": faces, "categories": [{"id": 1, "name": "no_mask"}]}
    for name in ("train.json", "val.json"):
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


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
    detector = YuNet(load_manifest().face_detector_files("yunet")["opencv"].path)
    pictures = [pattern(np.random.default_rng(seed)) for seed in range(20)]
    assert len({picture.tobytes() for picture in pictures}) == 20
    assert sum(len(detector.detect(picture)) for picture in pictures) <= 1
