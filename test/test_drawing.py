"""Drawn detections: in place, in colour, and in words."""

from itertools import combinations

import numpy as np
import pytest

from mask_detector.detection import Detection
from mask_detector.drawing import draw_detections, place_labels
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


def rectangle(one: Detection) -> tuple[int, int, int, int]:
    x, y, width, height = map(round, one.box)
    return x, y, x + width, y + height


def overlap(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("seed", range(5))
def test_in_a_crowd_labels_hide_neither_each_other_nor_who_is_nearer(seed):
    rng = np.random.default_rng(seed)
    widths = np.sort(rng.uniform(18, 70, 24))[::-1]
    crowd = [
        detection(CLASSES[rng.integers(3)].id, (rng.uniform(0, 570), rng.uniform(0, 390), width, 1.2 * width))
        for width in widths
    ]
    boxes = [rectangle(one) for one in crowd]
    labels = place_labels(crowd, boxes, 0.5, (640, 480))
    strips = [label.strip for label in labels if label]
    assert labels[0] and len(strips) >= 12
    assert not any(overlap(*pair) for pair in combinations(strips, 2))
    for number, label in enumerate(labels):
        assert not label or not any(overlap(label.strip, box) for box in boxes[:number])
    assert all(strip[0] >= 0 and strip[1] >= 0 for strip in strips)
    assert all(strip[2] <= 640 and strip[3] <= 480 for strip in strips)


def test_whoever_is_near_is_drawn_before_who_is_far():
    image = np.zeros((480, 640, 3), np.uint8)
    far, near = detection("mask", (250, 150, 40, 50)), detection("no_mask", (200, 150, 70, 90))
    crossing = (190, 270)  # row and column: on the right side of the nearer box, within the other
    for order in ([far, near], [near, far]):
        drawn = draw_detections(image, order)
        assert tuple(drawn[crossing]) == next(info.colour for info in CLASSES if info.id == "no_mask")
