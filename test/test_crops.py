import numpy as np
import pytest

from mask_detector.crops import crop_faces


@pytest.fixture
def ramp() -> np.ndarray:
    """A BGR picture, 60 high and 100 wide: blue holds x, green y, red is 255."""
    y, x = np.mgrid[0:60, 0:100]
    return np.dstack([x, y, np.full_like(x, 255)]).astype(np.uint8)


def test_nobody_gives_an_empty_batch(ramp):
    assert crop_faces(ramp, [], 32, 1.2).shape == (0, 32, 32, 3)


def test_a_crop_is_rgb_and_in_its_place(ramp):
    crop = crop_faces(ramp, [[20, 10, 16, 16]], 16, 1.0)[0]
    np.testing.assert_array_equal(crop, ramp[10:26, 20:36, ::-1])


def test_the_margin_widens_the_crop(ramp):
    crop = crop_faces(ramp, [[30, 20, 10, 10]], 20, 2.0)[0]
    np.testing.assert_array_equal(crop, ramp[15:35, 25:45, ::-1])


@pytest.mark.parametrize(
    "box", [(-8, -8, 16, 16), (92, 52, 16, 16), (-20, -20, 200, 200), (300, 300, 10, 10)]
)
def test_beyond_the_picture_its_edge_goes_on(ramp, box):
    crop = crop_faces(ramp, [box], 16, 1.0)[0]
    assert crop.shape == (16, 16, 3)
    assert (crop[..., 0] == 255).all(), "red is 255 everywhere, also where the edge is repeated"


@pytest.mark.parametrize("box", [(5, 5, 0.2, 0.2), (5, 5, 0, 0), (99.9, 59.9, 1, 1)])
def test_a_box_smaller_than_a_pixel_still_gives_a_crop(ramp, box):
    assert crop_faces(ramp, [box], 8, 1.0).shape == (1, 8, 8, 3)
