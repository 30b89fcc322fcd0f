"""The face detector's network in Keras is YuNet, and learns what its rows say."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training and export need TensorFlow")

import keras
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from one_face import FACE_BOX

from mask_detector.boxes import iou_matrix
from mask_detector.errors import ModelError
from mask_detector.face_detectors import FaceSearch
from mask_detector.face_detectors.cells import find_faces, level_of
from mask_detector.face_detectors.litert import LiteRTFaces
from mask_detector.face_detectors.yunet import YuNet
from mask_detector.model_store import load_manifest
from training.face_detector.assign import assign, boxes_of, grid
from training.face_detector.loss import detection_loss
from training.face_detector.network import build_network
from training.face_detector.settings import load_detector_config
from training.face_detector.targets import BOX, COLUMNS, FACE, IGNORED, KIND
from training.face_detector.to_litert import to_litert
from training.face_detector.train import learner
from training.face_detector.yunet_layout import read_weights, write_weights

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


def test_an_int8_file_takes_the_bytes_of_a_picture_whatever_it_was_calibrated_on(
    network, yunet_file, astronaut, tmp_path
):
    dull = [np.clip(astronaut, 40, 200)]
    assert dull[0].shape[0] % 32 == dull[0].shape[1] % 32 == 0
    content = to_litert(network.get_weights(), dull)
    (given,) = Interpreter(model_content=content).get_input_details()
    assert given["dtype"] == np.int8 and given["quantization"] == (1.0, -128)
    (tmp_path / "int8.tflite").write_bytes(content)
    (face,) = LiteRTFaces(tmp_path / "int8.tflite").detect(astronaut)
    (expected,) = YuNet(yunet_file).detect(astronaut)
    np.testing.assert_allclose(face[:4], expected[:4], atol=0.1 * expected[2])


def test_an_int8_file_with_other_steps_is_refused(tmp_path):
    maps = build_network(pixels=64)
    converter = tf.lite.TFLiteConverter.from_keras_model(maps)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: [[np.full((1, 64, 64, 3), 100, np.float32)]]
    converter.inference_input_type = tf.int8
    (tmp_path / "other.tflite").write_bytes(converter.convert())
    with pytest.raises(ModelError, match="not a face detector for LiteRT: its input is int8 with scale"):
        LiteRTFaces(tmp_path / "other.tflite")


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
