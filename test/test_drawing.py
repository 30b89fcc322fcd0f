"""Drawn detections: in place, in colour, and in words."""

import numpy as np
import pytest

from mask_detector.detection import Detection
from mask_detector.drawing import draw_detections
from mask_detector.model_store import load_manifest

CLASSES = load_manifest().classes


def detection(class_id: str, box: tuple[float, float, float, float]) -> Detection:
    others = [info.id for info in CLASSES if info.id != class_id]
    return Detection(box, {class_id: 0.9, others[0]: 0.07, others[1]: 0.03}, "7")


def test_nobody_leaves_the_picture_as_it_is_but_copied():
    image = np.full((60, 80, 3), 40, np.uint8)
    drawn = draw_detections(image, [])
    np.testing.assert_array_equal(drawn, image)
    assert drawn is not image


@pytest.mark.parametrize("info", CLASSES, ids=lambda info: info.id)
def test_the_box_has_the_colour_of_the_class_and_its_inside_stays(info):
    image = np.full((480, 640, 3), 40, np.uint8)
    drawn = draw_detections(image, [detection(info.id, (200, 150, 120, 160))])
    for x, y in [(200, 230), (320, 230), (260, 310)]:
        assert tuple(drawn[y, x]) == info.colour
    assert (drawn[170:300, 210:310] == 40).all()
    assert (image == 40).all(), "the picture given is not touched"


@pytest.mark.parametrize(
    "box",
    [(0, 0, 640, 480), (-50, -50, 90, 90), (600, 440, 40, 40), (0, 470, 30, 10), (300.4, 200.6, 0.5, 0.5)],
)
@pytest.mark.parametrize("shape", [(480, 640, 3), (48, 64, 3), (2160, 3840, 3), (1, 1, 3)])
def test_any_box_can_be_drawn_on_any_picture(box, shape):
    drawn = draw_detections(np.zeros(shape, np.uint8), [detection(CLASSES[0].id, box)])
    assert drawn.shape == shape


def test_a_read_only_picture_can_be_drawn_on():
    image = np.zeros((100, 100, 3), np.uint8)
    image.flags.writeable = False
    assert draw_detections(image, [detection(CLASSES[1].id, (20, 40, 30, 30))]).any()
