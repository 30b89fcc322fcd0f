"""What the face detector's int8 file is made of: even channels, and logits without steps."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training and export need TensorFlow")

import keras

from mask_detector.face_detectors.litert import _Network
from mask_detector.model_store import load_manifest
from training.face_detector.equalise import _ranges, equalised
from training.face_detector.network import build_network
from training.face_detector.to_litert import to_litert

INT8_VALUES = 256


@pytest.fixture(scope="module")
def shipped() -> keras.Model:
    file = load_manifest().face_detector_files("masked_yunet")["keras"].path
    network = build_network()
    network.set_weights(keras.saving.load_model(file, compile=False).get_weights())
    return network


def test_a_network_with_channels_of_like_range_answers_as_before(shipped, astronaut):
    even = build_network()
    even.set_weights(equalised(shipped.get_weights(), [astronaut[:256, :256]]))
    picture = astronaut[None].astype(np.float32)
    for before, after in zip(shipped(picture), even(picture), strict=True):
        np.testing.assert_allclose(before, after, atol=1e-3)


def test_channels_between_two_convolutions_become_as_wide_as_the_widest(shipped, astronaut):
    before = _ranges(shipped, [astronaut])
    even = build_network()
    even.set_weights(equalised(shipped.get_weights(), [astronaut]))
    for name, ranges in _ranges(even, [astronaut]).items():
        assert before[name].min() < 0.9 * before[name].max()
        wide = before[name] > 0.02 * before[name].max()  # a dead channel has nothing to widen
        np.testing.assert_allclose(ranges[wide], before[name].max(), rtol=1e-3)


def test_logits_of_an_int8_file_have_no_steps_as_its_boxes_have(shipped, astronaut):
    network = _Network(to_litert(shipped.get_weights(), [astronaut]), (1, *astronaut.shape), threads=1)
    logits, boxes, _ = network.maps(astronaut)[:3]
    assert len(np.unique(logits)) > INT8_VALUES
    assert len(np.unique(boxes)) <= INT8_VALUES
