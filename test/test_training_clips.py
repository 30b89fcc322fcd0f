"""Pictures in a clip: each is shown for some frames of one size, in order."""

import cv2
import numpy as np

from training.clips import FRAMES, as_clip


def test_each_picture_comes_back_as_frames_of_one_size_in_order():
    pictures = [np.full((*size, 3), grey, np.uint8) for size, grey in (((90, 120), 60), ((400, 100), 200))]
    shown = list(as_clip(pictures, (320, 240)))
    assert [len(frames) for frames in shown] == [FRAMES, FRAMES]
    for frames, grey, beside in zip(shown, (60, 200), (60, 0), strict=True):
        for frame in frames:
            assert frame.shape == (240, 320, 3)
            assert abs(frame[120, 160].astype(int) - grey).max() < 6
            assert abs(frame[120, 4].astype(int) - beside).max() < 6, (
                "what is higher than wide has bars beside"
            )


def test_a_clip_is_compressed(astronaut):
    (frames,) = as_clip([astronaut], (320, 240))
    plain = cv2.resize(astronaut, (240, 240), interpolation=cv2.INTER_AREA)
    apart = np.abs(frames[0][:, 40:280].astype(int) - plain).mean()
    assert 0.3 < apart < 8
