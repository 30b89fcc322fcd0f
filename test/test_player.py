"""A source played as a camera: in order, again and again, and back after it was lost."""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest
from media import make_video, network_camera

from mask_detector.errors import ImageError
from mask_detector.frame_sources.base import VIDEO_RATE
from mask_detector.player import PICTURES_A_SECOND, Player


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((8, 8, 3), number, np.uint8))
    return tmp_path


def grey(frames: Iterator) -> list[int]:
    return [int(frame.image[0, 0, 0]) for frame in frames]


def player(spec: Path | str, told: list[str] | None = None, **options) -> Player:
    return Player(str(spec), Event(), (told if told is not None else []).append, **options)


def test_a_folder_is_played_once_in_natural_order(pictures):
    assert grey(iter(player(pictures, rate=240))) == [1, 2, 10]


def test_with_loop_it_begins_again(pictures):
    assert grey(islice(player(pictures, rate=240, loop=True), 5)) == [1, 2, 10, 1, 2]


def test_a_picture_that_is_looped_keeps_its_rate(pictures):
    began = time.monotonic()
    assert grey(islice(player(pictures / "1.png", rate=40, loop=True), 9)) == [1] * 9
    assert time.monotonic() - began >= 0.95 * 8 / 40


def test_the_rate_is_that_of_the_source_unless_given(tmp_path):
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 120, (32, 32))
    for _ in range(4):
        writer.write(np.zeros((32, 32, 3), np.uint8))
    writer.release()
    own, given = player(clip), player(clip, rate=60)
    assert len(list(own)) == len(list(given)) == 4
    assert (own.rate, given.rate) == (120, 60)


def test_pictures_have_a_rate_of_their_own(pictures):
    source = player(pictures / "1.png")
    assert len(list(source)) == 1 and source.rate == PICTURES_A_SECOND


def test_stop_ends_it_between_two_frames(pictures):
    stop = Event()
    frames = iter(Player(str(pictures), stop, print, rate=240, loop=True))
    next(frames)
    stop.set()
    assert list(frames) == []


def test_a_damaged_picture_is_told_and_left_out(pictures):
    (pictures / "3.png").write_bytes(b"rubbish")
    told: list[str] = []
    assert grey(iter(player(pictures, told, rate=240))) == [1, 2, 10]
    assert len(told) == 1 and "3.png" in told[0]


def test_what_can_never_be_played_ends_with_a_reason(pictures):
    for picture in pictures.glob("*.png"):
        picture.write_bytes(b"rubbish")
    with pytest.raises(ImageError, match="nothing that can be played"):
        list(player(pictures, rate=240, loop=True))
    with pytest.raises(ImageError, match="/nowhere.mp4"):
        list(player("/nowhere.mp4"))


def test_a_camera_that_is_away_is_told_once_and_tried_again():
    stop, told = Event(), []

    def tell(text: str) -> None:
        told.append(text)
        stop.set()

    assert list(Player("/dev/video99", stop, tell)) == []
    assert len(told) == 1 and "/dev/video99" in told[0] and "trying again" in told[0]


def test_a_stream_that_closes_goes_on_with_its_numbers_and_times():
    with network_camera() as address:
        frames = list(islice(player(address), 12))
    assert [frame.index for frame in frames] == list(range(12))
    times = [frame.time for frame in frames]
    assert times[0] == 0 and times == sorted(times)
    assert times[5] - times[4] >= 1 and times[10] - times[9] >= 1, "it was away for a second, twice"


def test_a_camera_that_comes_back_faster_is_not_held_to_its_former_rate(tmp_path):
    """A player's own rate limits it; what a source states of itself does not."""
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 120, (32, 32))
    writer.write(np.zeros((32, 32, 3), np.uint8))
    writer.release()
    source = player(clip, loop=True)
    frames = iter(source)
    next(frames)
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"MJPG"), 60, (32, 32))
    writer.write(np.zeros((32, 32, 3), np.uint8))
    writer.release()
    next(frames)
    assert source.rate == 60


def test_a_video_that_states_no_rate_it_could_have_is_played_as_videos_are(tmp_path):
    source = player(make_video(tmp_path / "clip.avi", 3, rate=1000.0))
    times = [frame.time for frame in source]
    assert (len(times), source.rate) == (3, VIDEO_RATE)


def test_a_folder_without_a_picture_that_can_be_read_is_told(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    told = []
    with pytest.raises(ImageError, match="holds nothing that can be played"):
        list(player(tmp_path, told))
    assert len(told) == 1
