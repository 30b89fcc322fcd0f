"""Every kind of source: what it gives, and what it says when it gives nothing."""

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import cut_off, make_video, network_camera

from mask_detector.crops import Image
from mask_detector.errors import ImageError
from mask_detector.frame_sources import Frame, Unreadable, open_source, without_password

TURNED_RIGHT = struct.pack("<2sHIHHHII", b"II", 42, 8, 1, 0x0112, 3, 1, 6) + bytes(4)


def turned(picture: Path) -> None:
    """Add the EXIF note of a camera that was held upright."""
    exif = b"Exif\0\0" + TURNED_RIGHT
    content = picture.read_bytes()
    picture.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("missing.jpg", "missing.jpg.*No such file"),
        ("missing.mp4", "missing.mp4.*No such file.*webcam is 0"),
        ("missing/", "No such file|Is a directory"),
        ("empty", "empty.*has no pictures"),
        ("empty.jpg", "empty.jpg.*damaged"),
        ("text.jpg", "text.jpg.*damaged"),
        ("text.mp4", "text.mp4.*neither a picture nor a video"),
        ("text.txt", "text.txt.*neither a picture nor a video"),
        ("unfinished.mp4", "unfinished.mp4.*recording was cut off"),
        ("unnamed\udcff.mp4", "not UTF-8"),
        ("99", "no webcam /dev/video99.*those here"),
        ("/dev/video99", "no webcam /dev/video99"),
    ],
)
def test_says_what_cannot_be_opened(
    spec: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("empty.jpg").touch()
    for name in ("text.jpg", "text.mp4", "text.txt", "unnamed\udcff.mp4"):
        Path(name).write_text("this is a text\n" * 100)
    video = make_video(tmp_path / "unfinished.mp4", 5).read_bytes()
    Path("unfinished.mp4").write_bytes(video[: len(video) // 2])
    with pytest.raises(ImageError, match=message) as caught:
        open_source(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_says_that_nobody_answers_without_the_password(scheme: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        host = f"127.0.0.1:{unused.getsockname()[1]}/live"
        with pytest.raises(ImageError, match=f"{scheme}://{host}: check") as caught:
            open_source(f"{scheme}://me:secret@{host}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("rtsp://me:p@ss@camera:554/a@b", "rtsp://camera:554/a@b"),
        ("http://camera/video?quality=1", "http://camera/video?quality=1"),
        (
            "rtsp://camera/cam?user=admin&password=p@ss&channel=1",
            "rtsp://camera/cam?user=admin&password=…&channel=1",
        ),
        ("folder/a@b.jpg", "folder/a@b.jpg"),
    ],
)
def test_shows_no_password(spec: str, shown: str) -> None:
    assert without_password(spec) == shown


@pytest.mark.parametrize(
    "name", ["grey.png", "deep.png", "deep.tiff", "alpha.png", "colour.jpg", "ü ö #%d.PNG"]
)
def test_reads_every_picture_as_bgr_of_8_bits(name: str, astronaut: Image, tmp_path: Path) -> None:
    kinds = {
        "grey": cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY),
        "deep": astronaut.astype(np.uint16) * 257,
        "alpha": cv2.cvtColor(astronaut, cv2.COLOR_BGR2BGRA),
    }
    picture = kinds.get(Path(name).stem, astronaut)
    cv2.imwrite(str(tmp_path / name), picture)
    with open_source(str(tmp_path / name)) as source:
        (frame,) = source
    assert (source.count, source.rate, source.live) == (1, 0, False)
    assert (frame.source, frame.index, frame.time) == (str(tmp_path / name), 0, 0)
    assert (frame.image.shape, frame.image.dtype) == ((512, 512, 3), np.uint8)
    reference = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else astronaut
    assert np.abs(frame.image.astype(int) - reference).mean() < 3


def test_turns_a_picture_as_its_exif_says(tmp_path: Path) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20] = 255
    cv2.imwrite(str(tmp_path / "phone.jpg"), picture)
    turned(tmp_path / "phone.jpg")
    (frame,) = open_source(str(tmp_path / "phone.jpg"))
    assert frame.image.shape == (60, 40, 3)
    assert frame.image[:, 30:].min() > 200  # what was above is now at the right
    assert frame.image[:, :10].max() < 50


def test_shows_what_there_is_of_a_jpeg_that_is_cut_off(astronaut: Image, tmp_path: Path) -> None:
    content = cv2.imencode(".jpg", astronaut)[1].tobytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    (frame,) = open_source(str(tmp_path / "cut.jpg"))
    assert np.abs(frame.image[:200].astype(int) - astronaut[:200]).mean() < 3


def test_goes_through_a_folder_in_natural_order_past_what_is_damaged(tmp_path: Path) -> None:
    for name in ("img10.png", "img2.png", "IMG1.png", ".hidden.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "img3.jpg").write_bytes(b"damaged")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "below").mkdir()
    with open_source(str(tmp_path)) as source:
        items = list(source)
    assert [Path(item.source).name for item in items] == ["IMG1.png", "img2.png", "img3.jpg", "img10.png"]
    assert [type(item) for item in items] == [Frame, Frame, Unreadable, Frame]
    assert source.count == 4
    assert "img3.jpg" in str(items[2].error)


@pytest.mark.parametrize("name", ["clip.mp4", "12:30.mp4", "ü x%03d #.mp4", "clip.avi"])
@pytest.mark.parametrize("frames", [1, 7])
def test_reads_every_frame_of_a_video(name: str, frames: int, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.replace(make_video(tmp_path / f"made{Path(name).suffix}", frames, (64, 48), 16.0), name)
    with open_source(name) as source:
        assert (source.spec, source.count, source.rate, source.live) == (name, frames, 16.0, False)
        items = list(source)
    assert [(item.source, item.index) for item in items] == [(name, index) for index in range(frames)]
    assert [item.time for item in items] == pytest.approx([index / 16.0 for index in range(frames)])
    assert [round(item.image.mean()) for item in items] == pytest.approx(np.linspace(0, 255, frames), abs=6)


def test_keeps_an_odd_size(tmp_path: Path) -> None:
    (frame,) = open_source(str(make_video(tmp_path / "odd.avi", 1, (641, 479))))
    assert frame.image.shape == (479, 641, 3)


def test_keeps_the_frames_of_a_video_that_is_cut_off_and_says_so(tmp_path: Path) -> None:
    video = make_video(tmp_path / "cut.mp4", 60)
    cut_off(video, 0.5)
    *frames, last = open_source(str(video))
    assert 10 < len(frames) < 50
    assert all(isinstance(frame, Frame) for frame in frames)
    assert isinstance(last, Unreadable) and last.index == len(frames)
    assert "of 4.0 seconds: the file is cut off" in str(last.error)


@pytest.fixture
def camera() -> Iterator[str]:
    with network_camera() as address:
        yield address


def test_tells_that_a_stream_has_closed_and_opens_it_again(camera: str) -> None:
    for _ in range(2):
        with open_source(camera) as source:
            *frames, last = source
        assert (source.live, source.count) == (True, 0)
        assert [frame.index for frame in frames] == list(range(5))
        assert frames[0].time == 0 and all(a.time <= b.time for a, b in zip(frames, frames[1:], strict=False))
        assert isinstance(last, Unreadable) and "gives no more pictures" in str(last.error)
        assert "secret" not in last.source + str(last.error)


def test_a_folder_may_be_called_by_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "2026").mkdir()
    cv2.imwrite(str(tmp_path / "2026" / "a.png"), np.zeros((8, 8, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    with open_source("2026") as source:
        assert source.count == 1 and not source.live
