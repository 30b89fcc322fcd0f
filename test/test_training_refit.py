"""The output for background is fitted anew: a poster becomes nobody, faces stay what they were."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_scenes import CLASSES, tiny_run

from mask_detector.background import class_scores
from mask_detector.crops import crop_faces
from mask_detector.face_detectors import make_face_detector
from mask_detector.model_store import load_manifest
from training.augment import darken, far_away
from training.config import load_config
from training.errors import TrainingError

needs = "training needs TensorFlow with Keras 3: pip install tensorflow onnx"
keras = pytest.importorskip("keras", reason=needs)
refit = pytest.importorskip("training.refit", reason=needs).refit
build_model = pytest.importorskip("training.model", reason=needs).build_model
predicted = pytest.importorskip("training.model", reason=needs).predicted
prepared = pytest.importorskip("training.prepare", reason=needs).prepared


@pytest.fixture
def config(tmp_path, astronaut):
    """Settings of a run that goes on with the shipped model, with a portrait among its pictures of nobody."""
    posters = tmp_path / "posters"
    posters.mkdir()
    cv2.imwrite(str(posters / "poster.png"), astronaut)  # as if it hung on a wall
    config = tiny_run(tmp_path / "data")
    background = replace(config.background, pictures=[str(posters)])
    return replace(config, background=background, crops=load_config().crops)


def test_a_poster_becomes_background_and_faces_are_told_as_before(config, tmp_path, astronaut, capsys):
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(load_manifest().classifier().files["keras"].path, run / "best.keras")
    (face,) = make_face_detector().detect(astronaut)
    poster = crop_faces(astronaut, face[None, :4], config.crops.size, config.crops.margin)
    crops = np.concatenate([poster, prepared(config, run, "val").crops])
    before = predicted(keras.saving.load_model(run / "best.keras"), crops)
    refit(config, run)
    after = predicted(keras.saving.load_model(run / "best.keras"), crops)
    assert before[0, -1] < 0.01 and after[0, -1] > 0.5, "the poster is nobody now"
    assert after[1:, -1].max() < 0.2, "faces are still faces"
    np.testing.assert_allclose(class_scores(before, 3), class_scores(after, 3), atol=1e-4)
    assert "lookalikes: " in capsys.readouterr().out


def test_what_cannot_be_fitted_is_told(config, tmp_path):
    without = replace(config, background=replace(config.background, pictures=[]))
    with pytest.raises(TrainingError, match="background.pictures is empty: name pictures without people"):
        refit(without, tmp_path)
    with pytest.raises(TrainingError, match="holds no best.keras: train first"):
        refit(config, tmp_path / "run")
    (tmp_path / "run").mkdir()
    build_model(replace(config.model, weights=["none"]), 64, len(CLASSES)).save(tmp_path / "run/best.keras")
    with pytest.raises(TrainingError, match="has no output for background: train with background.count"):
        refit(config, tmp_path / "run")
    (tmp_path / "posters/poster.png").write_bytes(b"no picture")
    shutil.copy(load_manifest().classifier().files["keras"].path, tmp_path / "run/best.keras")
    with pytest.raises(TrainingError, match="nothing in background.pictures looks like a face"):
        refit(config, tmp_path / "run")


def test_far_faces_are_coarse():
    sharp = np.tile(np.array([0, 255], np.uint8)[:, None, None], (100, 200, 3))  # a line white, a line black
    assert sharp.std() > 100
    assert far_away(sharp, np.random.default_rng(1)).std() < 40


def test_noise_in_the_dark_is_as_coarse_as_the_camera_s_pixels():
    grey = np.full((200, 200, 3), 128, np.uint8)

    def roughness(pixels: int) -> float:
        taken = darken(grey, np.random.default_rng(3), pixels).astype(float)
        return np.abs(np.diff(taken, axis=1)).mean()

    assert roughness(30) < 0.5 * roughness(200)
    taken = darken(grey, np.random.default_rng(3))
    assert taken.shape == grey.shape and taken.mean() < 0.7 * 128
