"""Networks by name: what can be built, and what is refused before any crop is cut."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="training needs TensorFlow with Keras 3: pip install tensorflow")

from training.config import TrainingError, load_config  # noqa: E402
from training.drawn import MOST_OF_ONE, evenly  # noqa: E402
from training.model import build_model, freeze_before  # noqa: E402

SHIPPED = replace(load_config().model, weights="none")


def test_the_head_of_the_classics_stands_beside_the_pooled_one():
    classic, pooled = (build_model(replace(SHIPPED, head=head), 64, 3) for head in ("classic", "pooled"))
    assert classic.get_layer("dense").units == 128
    assert classic.count_params() > pooled.count_params()
    for model in (classic, pooled):
        scores = np.array(model(np.zeros((2, 64, 64, 3), np.float32)))
        assert scores.shape == (2, 3) and scores.sum(axis=1) == pytest.approx(1)


def test_layers_before_the_one_named_are_frozen():
    model = build_model(SHIPPED, 32, 3)
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
        ({"weights": "/nowhere.h5"}, "no weights file /nowhere.h5: give one, or imagenet, or none"),
        ({"weights": __file__}, "does not hold the weights of MobileNetV2, width 0.35"),
        ({"weights": "imagenet", "width": 0.4}, "MobileNetV2, width 0.4, weights 'imagenet' at 32 px cannot"),
    ],
)
def test_a_network_that_cannot_be_had_is_told_in_one_line(change, told):
    with pytest.raises(TrainingError, match=told) as error:
        build_model(replace(SHIPPED, **change), 32, 3)
    assert len(str(error.value).splitlines()) == 1


def test_no_face_is_drawn_on_more_often_than_others_or_than_allowed():
    random = np.random.default_rng(0)
    assert set(Counter(evenly(["a", "b", "c"], 1000, random)).values()) == {MOST_OF_ONE}
    assert set(Counter(evenly(["a", "b", "c"], 6, random)).values()) == {2}
    assert evenly([], 6, random) == []
