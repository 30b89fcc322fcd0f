"""Drawn masks cover what their class says, on a real face."""

import numpy as np
import pytest

from mask_detector.face_detectors import YuNet, make_face_detector
from training.synthesise import WAYS, draw_mask, face_frame

NOSE, MOUTH = 2, slice(3, 5)
COVERED = {
    "worn": (True, True),
    "below_nose": (False, True),
    "on_chin": (False, False),
    "from_ear": (False, None),
    "over_eyes": (None, False),
    "scarf": (False, False),
}


@pytest.fixture(scope="module")
def detector() -> YuNet:
    return make_face_detector("yunet")


@pytest.mark.parametrize("way", WAYS)
def test_a_drawn_mask_covers_nose_and_mouth_as_its_way_says(astronaut, detector, way):
    face = detector.detect(astronaut)[0]
    points = face[4:14].reshape(5, 2)
    for seed in range(10):
        drawn = draw_mask(astronaut, face_frame(face), way, np.random.default_rng(seed))
        changed = np.abs(drawn.astype(int) - astronaut).max(axis=2) > 4
        nose, mouth = (changed_at(changed, at) for at in (points[NOSE], points[MOUTH].mean(axis=0)))
        expected = COVERED[way]
        assert expected[0] in (None, nose), f"nose, seed {seed}"
        assert expected[1] in (None, mouth), f"mouth, seed {seed}"


def test_drawing_stays_at_the_face_and_leaves_the_picture_given_alone(astronaut, detector):
    before, face = astronaut.copy(), detector.detect(astronaut)[0]
    x, y, width, height = face[:4]
    drawn = draw_mask(astronaut, face_frame(face), "worn", np.random.default_rng(0))
    assert (astronaut == before).all()
    rows, columns = np.nonzero((drawn != before).any(axis=2))
    assert x - width < columns.min() and columns.max() < x + 2 * width
    assert y < rows.min() and rows.max() < y + 1.5 * height


def test_a_face_that_looks_aside_or_lacks_landmarks_has_no_frame(astronaut, detector):
    face = detector.detect(astronaut)[0]
    aside = face.copy()
    aside[4 + 2 * NOSE] += 60
    unknown = face.copy()
    unknown[4:14] = np.nan
    assert face_frame(face) is not None
    assert face_frame(aside) is None
    assert face_frame(unknown) is None


def changed_at(changed: np.ndarray, point: np.ndarray) -> bool:
    x, y = point.round().astype(int)
    return bool(changed[y - 1 : y + 2, x - 1 : x + 2].mean() > 0.5)
