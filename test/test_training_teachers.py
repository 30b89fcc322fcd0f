"""A model may learn from the mean scores of others, each of which sees the crop as it was trained to."""

from dataclasses import replace

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="training needs TensorFlow with Keras 3: pip install tensorflow")
from training.config import DistilConfig, Teacher, load_config  # noqa: E402
from training.errors import TrainingError  # noqa: E402
from training.teachers import Teachers, seen_size, view  # noqa: E402


def teacher(path, size: int, scores: list[float]) -> str:
    """Save a model that answers `scores` to the brightness of the crop's corner: high or low."""
    inputs = keras.Input((size, size, 3))
    corner = keras.layers.Cropping2D(((0, size - 1), (0, size - 1)))(inputs)
    light = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(corner))
    dense = keras.layers.Dense(len(scores), use_bias=False)
    model = keras.Model(inputs, dense(light))
    dense.set_weights([np.tile(np.float32(scores) / 3, (3, 1))])
    model.save(path)
    return str(path)


def test_each_teacher_sees_its_own_margin(tmp_path):
    wide = Teacher(teacher(tmp_path / "wide.keras", 40, [0, 1, 0]), 2.0)
    close = Teacher(teacher(tmp_path / "close.keras", 16, [0, 0, 1]), 1.0)
    base = load_config()
    config = replace(
        base, crops=replace(base.crops, size=32, margin=1.0), distil=DistilConfig([wide, close], 0.5)
    )
    assert seen_size(config) == 64
    images = np.zeros((1, 64, 64, 3), np.float32)
    images[0, :16] = 255  # what only the wide view reaches
    targets = np.float32([[0, 1, 0, 0]])
    seen, taught = next(Teachers(config.distil).taught([(images, targets)], config))
    assert seen.shape == (1, 32, 32, 3) and not seen.any()
    np.testing.assert_allclose(taught, [[0, 0.75, 0, 0]], atol=1e-5)  # the close one saw the dark: all 0


def test_a_teacher_who_errs_is_not_followed(tmp_path):
    base = load_config()
    wrong = Teacher(teacher(tmp_path / "wrong.keras", 32, [1, 0, 0]), 1.0)
    config = replace(base, crops=replace(base.crops, size=32, margin=1.0), distil=DistilConfig([wrong], 0.9))
    white = np.full((2, 32, 32, 3), 255, np.float32)
    targets = np.float32([[0.6, 0.4, 0, 0], [0.4, 0.6, 0, 0]])
    _, taught = next(Teachers(config.distil).taught([(white, targets)], config))
    np.testing.assert_allclose(taught, [[0.96, 0.04, 0, 0], targets[1]], atol=1e-5)


def test_background_is_learnt_from_labels_alone(tmp_path):
    base = load_config()
    sure = Teacher(teacher(tmp_path / "sure.keras", 32, [1, 0, 0]), 1.0)
    config = replace(base, crops=replace(base.crops, size=32, margin=1.0), distil=DistilConfig([sure], 1.0))
    white, targets = np.full((1, 32, 32, 3), 255, np.float32), np.float32([[0, 0, 0, 1]])
    _, taught = next(Teachers(config.distil).taught([(white, targets)], config))
    np.testing.assert_allclose(taught, targets, atol=1e-6)


@pytest.mark.parametrize("columns", [3, 4])
def test_teachers_with_and_without_background_teach_together(tmp_path, columns):
    plain = Teacher(teacher(tmp_path / "plain.keras", 32, [1, 0, 0]), 1.0)
    doubtful = Teacher(teacher(tmp_path / "doubtful.keras", 32, [0.3, 0.2, 0, 0.5]), 1.0)
    base = load_config()
    distil = DistilConfig([plain, doubtful], 1.0)
    config = replace(base, crops=replace(base.crops, size=32, margin=1.0), distil=distil)
    white, targets = np.full((1, 32, 32, 3), 255, np.float32), np.eye(1, columns, dtype=np.float32)
    _, taught = next(Teachers(config.distil).taught([(white, targets)], config))
    np.testing.assert_allclose(taught[0, :3], [0.8, 0.2, 0], atol=1e-5)


def test_without_teachers_the_batch_stays():
    config = load_config()
    size = config.crops.size
    batch = np.zeros((2, size, size, 3), np.float32), np.eye(4, dtype=np.float32)[:2]
    images, targets = next(Teachers(config.distil).taught([batch], config))
    assert images is batch[0] or (images == batch[0]).all()
    assert (targets == batch[1]).all()


def test_the_view_is_the_middle():
    images = np.zeros((1, 8, 8, 3), np.float32)
    images[0, 2:6, 2:6] = 1
    assert view(images, 0.5, 4).min() == 1
    assert view(images, 0.5, 16).shape == (1, 16, 16, 3)


def test_a_teacher_that_is_missing_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"distil.teachers: .*nobody.keras"):
        Teachers(DistilConfig([Teacher(str(tmp_path / "nobody.keras"), 1.0)], 0.5))
