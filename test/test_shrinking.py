"""Smaller pictures show what the large ones do, no pixel left out, and in the same place."""

import cv2
import numpy as np
import pytest

from mask_detector.face_detectors.base import shrink
from mask_detector.shrinking import resized


@pytest.fixture
def smooth() -> np.ndarray:
    """A picture of shape (1080, 1920, 3) without anything sharp in it."""
    noise = np.random.default_rng(0).integers(0, 256, (17, 30, 3), np.uint8)
    return cv2.resize(noise, (1920, 1080), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("size", [(960, 540), (640, 360), (768, 432), (480, 270), (300, 169), (1, 1)])
def test_it_is_what_averaging_gives(smooth, size):
    averaged = cv2.resize(smooth, size, interpolation=cv2.INTER_AREA)
    difference = np.abs(resized(smooth, *size).astype(int) - averaged)
    assert difference.mean() < 1.5 and difference.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("width", [767, 640, 500, 320, 111])
def test_fine_stripes_become_grey_and_not_other_stripes(width):
    stripes = np.zeros((1080, 1920, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(resized(stripes, width, width * 9 // 16).astype(int) - 127.5).max() < 3


@pytest.mark.parametrize("shape", [(1081, 1923), (999, 1001), (721, 1281)])
def test_odd_sides_move_nothing_by_more_than_a_pixel(shape):
    height, width = shape
    image = np.zeros((height, width, 3), np.uint8)
    image[height - 60 : height - 20, width - 60 : width - 20] = 255
    small, scale = shrink(image, 400)
    rows, columns = np.nonzero(small[..., 0] > 127)
    for found, true in ((rows, height - 60), (columns, width - 60)):
        assert found[0] * scale == pytest.approx(true, abs=scale)


def test_a_larger_one_is_bilinear_and_one_of_that_size_the_same(smooth):
    small = smooth[:90, :120]
    assert (resized(small, 240, 180) == cv2.resize(small, (240, 180))).all()
    assert (resized(small, 120, 90) == small).all()
