"""Networks by name: what can be built, and what is refused before any crop is cut."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="training needs TensorFlow with Keras 3: pip install tensorflow")

from training.backbones import backbones_of  # noqa: E402
from training.config import View, load_config  # noqa: E402
from training.drawn import MOST_OF_ONE, evenly  # noqa: E402
from training.errors import TrainingError  # noqa: E402
from training.model import build_model, freeze_before, learner_of, logits_of  # noqa: E402
from training.views import viewed  # noqa: E402

TWO = replace(load_config().model, weights=["none"])
ONE = replace(TWO, views=[View(1.0, 1)])


def test_the_head_of_the_classics_stands_beside_the_pooled_one():
    classic, pooled = (build_model(replace(ONE, head=head), 64, 3) for head in ("classic", "pooled"))
    assert 128 in [getattr(layer, "units", 0) for layer in classic.layers]
    assert classic.count_params() > pooled.count_params()
    for model in (classic, pooled):
        scores = np.array(model(np.zeros((2, 64, 64, 3), np.float32)))
        assert scores.shape == (2, 3) and scores.sum(axis=1) == pytest.approx(1)


def test_layers_before_the_one_named_are_frozen():
    model = build_model(ONE, 32, 3)
    counts = []
    for layer in ("all", "block_13_expand", ""):
        freeze_before(model, layer)
        counts.append(len(model.trainable_variables))
    assert counts[0] > counts[1] > counts[2] == 2  # the dense layer's own
    with pytest.raises(TrainingError, match="unfreeze_from is 'conv9', no layer of the backbone .*or all"):
        freeze_before(model, "conv9")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"backbone": "MobileNetV9"}, "model.backbone is 'MobileNetV9': choose one of .*MobileNetV2"),
        ({"backbone": "preprocess_input"}, "model.backbone is 'preprocess_input': choose one of"),
        ({"backbone": "ResNet50V2"}, "model.width is 0.35, but ResNet50V2 has no widths: set 1.0"),
        ({"weights": ["/nowhere.h5"]}, "no weights file /nowhere.h5: give one, or imagenet, or none"),
        ({"weights": [__file__]}, "does not hold the weights of MobileNetV2, width 0.35"),
        (
            {"weights": ["imagenet"], "width": 0.4},
            "MobileNetV2, width 0.4, weights 'imagenet' at 32 px cannot",
        ),
    ],
)
def test_a_network_that_cannot_be_had_is_told_in_one_line(change, told):
    with pytest.raises(TrainingError, match=told) as error:
        build_model(replace(ONE, **change), 32, 3)
    assert len(str(error.value).splitlines()) == 1


def test_a_view_is_the_middle_of_the_crop_made_smaller():
    crop = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)).astype(np.float32)
    inputs = keras.Input(crop.shape[1:])
    seen = keras.Model(inputs, [viewed(inputs, View(1.0, 2)), viewed(inputs, View(0.5, 1))])
    wide, close = seen.predict(crop, verbose=0)
    np.testing.assert_allclose(wide, crop.reshape(1, 8, 2, 8, 2, 3).mean(axis=(2, 4)), rtol=1e-5)
    np.testing.assert_array_equal(close, crop[:, 4:12, 4:12])


def test_the_answer_is_the_mean_of_the_views():
    model = build_model(TWO, 64, 3)
    for layer, bias in zip(logits_of(model), np.float32([[0, 1, 4], [2, 1, 0]]), strict=True):
        layer.bias.assign(bias)
    crop = np.zeros((1, 64, 64, 3), np.float32)
    np.testing.assert_allclose(learner_of(model).predict(crop, verbose=0)[0], [[0, 1, 4]], atol=1e-3)
    expected = np.exp([1, 1, 2]) / np.exp([1, 1, 2]).sum()
    np.testing.assert_allclose(model.predict(crop, verbose=0), [expected], atol=1e-3)


def test_each_view_starts_from_its_own_weights(tmp_path):
    first, other = build_model(TWO, 64, 3), build_model(ONE, 64, 3)
    first.save(tmp_path / "two.keras")
    other.save(tmp_path / "one.keras")
    started = build_model(replace(TWO, weights=[str(tmp_path / "two.keras")]), 64, 4)
    for base, own in zip(backbones_of(started), backbones_of(first), strict=True):
        assert all(map(np.array_equal, base.get_weights(), own.get_weights()))
    mixed = replace(TWO, weights=[str(tmp_path / f"{name}.keras") for name in ("one", "two")])
    wide, close = backbones_of(build_model(mixed, 64, 3))
    assert all(map(np.array_equal, wide.get_weights(), backbones_of(other)[0].get_weights()))
    assert all(map(np.array_equal, close.get_weights(), backbones_of(first)[1].get_weights()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"views": []}, r"'model.views' is \[\]: allowed is at least one view"),
        ({"weights": ["none"] * 3}, r"'model.weights' is .*one for all views, or one for each"),
    ],
)
def test_views_that_do_not_fit_are_told(change, told):
    with pytest.raises(TrainingError, match=told):
        replace(TWO, **change)


@pytest.mark.parametrize(("part", "shrink"), [(0, 1), (1.1, 1), (0.5, 0)])
def test_a_view_lies_inside_the_crop(part, shrink):
    with pytest.raises(TrainingError, match=r"model.views.(part|shrink)"):
        View(part, shrink)


def test_no_face_is_drawn_on_more_often_than_others_or_than_allowed():
    random = np.random.default_rng(0)
    assert set(Counter(evenly(["a", "b", "c"], 1000, random)).values()) == {MOST_OF_ONE}
    assert set(Counter(evenly(["a", "b", "c"], 6, random)).values()) == {2}
    assert evenly([], 6, random) == []
