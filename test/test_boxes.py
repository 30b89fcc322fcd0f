import numpy as np
import pytest

from mask_detector.boxes import as_boxes, clip_boxes, iou_matrix, squares_around


def test_no_boxes_keep_their_shape():
    assert as_boxes([]).shape == clip_boxes([], 10, 10).shape == squares_around([], 1.5).shape == (0, 4)
    assert iou_matrix([], [[0, 0, 1, 1]]).shape == (0, 1)


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        ((10, 5, 30, 40), (10, 5, 30, 40)),
        ((-5, -5, 10, 10), (0, 0, 5, 5)),
        ((90, 40, 20, 20), (90, 40, 10, 10)),
        ((-10, -10, 200, 200), (0, 0, 100, 50)),
        ((150, 0, 10, 10), (100, 0, 0, 10)),  # beside the image: no area is left
    ],
)
def test_boxes_are_cut_to_a_wide_image(box, clipped):
    np.testing.assert_allclose(clip_boxes([box], width=100, height=50), [clipped])


def test_squares_keep_the_centre_and_take_the_longer_side():
    np.testing.assert_allclose(squares_around([[10, 20, 20, 40]], 1.5), [[-10, 10, 60, 60]])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1),
        ((0, 0, 10, 10), (10, 0, 10, 10), 0),
        ((0, 0, 10, 10), (5, 0, 10, 10), 1 / 3),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0),
    ],
)
def test_intersection_over_union(first, second, expected):
    assert iou_matrix([first], [second])[0, 0] == pytest.approx(expected)
