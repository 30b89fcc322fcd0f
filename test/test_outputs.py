"""Lines, pictures and videos: whole under their final name, or an error that names them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import full_disk, read_video

from mask_detector.crops import Image
from mask_detector.errors import MaskDetectorError
from mask_detector.opencv_video import frame_count
from mask_detector.outputs import JsonLines, VideoWriter, read_json_lines, write_picture


def shade(value: int, width: int = 64, height: int = 48) -> Image:
    return np.full((height, width, 3), value, np.uint8)


def test_every_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with JsonLines(path) as lines:
        lines.write({"source": "größe.jpg", "frame": 0})
        assert read_json_lines(path) == [{"source": "größe.jpg", "frame": 0}]
        lines.write({"source": "odd\udcff.jpg", "frame": 1})
    with JsonLines(path) as lines:
        lines.write({"frame": 2})
    assert [line["frame"] for line in read_json_lines(path)] == [0, 1, 2]
    assert all(json.loads(line) for line in path.read_text("ascii").splitlines())


@pytest.mark.parametrize("torn", ['{"frame": 1, "sour', "{", '{"frame": 1}'])
def test_drops_a_last_line_that_was_not_finished(torn: str, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text('{"frame": 0}\n' + torn)
    assert read_json_lines(path) == [{"frame": 0}]
    with JsonLines(path) as lines:
        lines.write({"frame": 5})
    assert path.read_text() == '{"frame": 0}\n{"frame": 5}\n'


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"text\n", b"[1, 2]\n", b"{}\n3\n"])
def test_refuses_lines_of_something_else(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(content)
    with pytest.raises(MaskDetectorError, match=r"line \d of .*picture.png.*another file"):
        read_json_lines(tmp_path / "picture.png")


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert read_json_lines(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [("none/out.jsonl", "No such file"), (".", "Is a directory"), ("/dev/full", "No space")],
)
def test_says_why_lines_cannot_be_written(path: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(MaskDetectorError, match=reason), JsonLines(tmp_path / path) as lines:
        lines.write({})


def test_writes_a_picture_over_a_former_one(astronaut: Image, tmp_path: Path) -> None:
    write_picture(tmp_path / "a b.png", shade(0))
    write_picture(tmp_path / "a b.png", astronaut)
    assert np.array_equal(cv2.imread(str(tmp_path / "a b.png")), astronaut)
    assert [path.name for path in tmp_path.iterdir()] == ["a b.png"]


def test_keeps_the_former_picture_where_the_disk_is_full(astronaut: Image, tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", shade(7))
    with full_disk(1000), pytest.raises(MaskDetectorError, match="cannot write.*a.png"):
        write_picture(tmp_path / "a.png", astronaut)
    assert cv2.imread(str(tmp_path / "a.png")).mean() == 7
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("size", "written"),
    [((64, 48), (64, 48)), ((641, 479), (640, 478)), ((3, 2), (2, 2)), ((1920, 1080),) * 2],
)
@pytest.mark.parametrize("frames", [1, 3])
def test_writes_videos_of_any_size(
    size: tuple[int, int], written: tuple[int, int], frames: int, tmp_path: Path
) -> None:
    path = tmp_path / "12:30 ü.mp4"
    with VideoWriter(path, 12.5) as video:
        for index in range(frames):
            video.write(shade(100 * index, *size))
        assert not path.exists()
    images = read_video(path)
    assert [round(image.mean(), -1) for image in images] == [100 * index for index in range(frames)]
    assert images[0].shape == (written[1], written[0], 3)
    assert [path.name for path in tmp_path.iterdir()] == ["12:30 ü.mp4"]


def test_fits_pictures_of_other_sizes_into_the_first(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", 10) as video:
        video.write(shade(200, 64, 48))
        video.write(shade(200, 48, 96))
        video.write(shade(200, 1, 3000))
    first, upright, _ = read_video(tmp_path / "v.mp4")
    assert first.mean() > 190
    assert upright[:, :12].mean() < 20 < 180 < upright[:, 24:40].mean()


def test_runs_a_live_video_as_fast_as_life(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", 10) as video:
        for value, time in ((0, 0.0), (50, 0.1), (100, 0.12), (150, 0.5), (200, 0.6)):
            video.write(shade(value), time)
    assert [round(image.mean(), -1) for image in read_video(tmp_path / "v.mp4")] == [
        0,
        50,
        100,
        100,
        100,
        150,
        200,
    ]


def test_without_a_frame_there_is_no_video(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", 10):
        pass
    assert list(tmp_path.iterdir()) == []


def test_says_that_a_size_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(MaskDetectorError, match="v.mp4.*1x1"), VideoWriter(tmp_path / "v.mp4", 9) as video:
        video.write(shade(0, 1, 1))
    assert list(tmp_path.iterdir()) == []


def test_says_why_a_video_cannot_be_written(tmp_path: Path) -> None:
    with (
        pytest.raises(MaskDetectorError, match="v.mp4.*No such file"),
        VideoWriter(tmp_path / "no" / "v.mp4", 9) as v,
    ):
        v.write(shade(0))


def test_leaves_the_former_video_where_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    with VideoWriter(path, 10) as video:
        video.write(shade(0))
    noise = np.random.default_rng(0).integers(0, 255, (30, 480, 640, 3), np.uint8)
    with (
        full_disk(100_000),
        pytest.raises(MaskDetectorError, match="v.mp4.*make room"),
        VideoWriter(path, 10) as video,
    ):
        for image in noise:
            video.write(image)
    assert frame_count(path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


@pytest.mark.parametrize("rate", [0.0001, 1 / 3, 30_000 / 1001, 66.6667, 100.123, 239.123, 240.0])
def test_every_rate_can_be_written(rate: float, tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "v.mp4", rate) as video:
        video.write(shade(0))
        video.write(shade(0))
    assert cv2.VideoCapture(str(tmp_path / "v.mp4")).get(cv2.CAP_PROP_FPS) == pytest.approx(
        max(rate, 0.01), 1e-3
    )
