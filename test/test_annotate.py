"""The command `annotate`, from the first picture to a run that was killed."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from media import cut_off, make_video, read_video, write_video

from mask_detector.__main__ import main as start
from mask_detector.annotate import main
from mask_detector.crops import Image
from mask_detector.model_store import load_manifest

# Runs annotate, which at its n-th picture gets a signal as if someone had pressed Ctrl-C or killed it.
INTERRUPTED = """
import os, signal, sys
from mask_detector.annotate import main
from mask_detector.pipeline import MaskDetector

find, pictures = MaskDetector.find, iter(range(1, 1000))

def find_until(self, image, *least_score):
    if next(pictures) == int(sys.argv[1]):
        os.kill(os.getpid(), getattr(signal, sys.argv[2]))
    return find(self, image, *least_score)

MaskDetector.find = find_until
sys.exit(main(sys.argv[3:]))
"""


def annotate(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def run(*arguments: str | Path, program: tuple[str, ...] = ("-m", "mask_detector", "annotate")) -> Any:
    command = [sys.executable, *program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def interrupted(number: int, name: str, *arguments: str | Path) -> int:
    return run(number, name, *arguments, program=("-c", INTERRUPTED)).returncode


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def picture(astronaut: Image, tmp_path: Path) -> Path:
    path = tmp_path / "in" / "one person.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), astronaut)
    return path


@pytest.fixture
def clip(astronaut: Image, tmp_path: Path) -> Path:
    """Twelve frames of an odd size, through which the astronaut moves."""
    small = cv2.resize(astronaut, (321, 239))
    return write_video(tmp_path / "clip.avi", [np.roll(small, 5 * shift, 1) for shift in range(12)])


def test_writes_a_line_and_a_copy(picture: Path, astronaut: Image, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    assert annotate(picture, "--json", tmp_path / "lines", "--out", out) == 0
    (line,) = read(tmp_path / "lines")
    (person,) = line.pop("detections")
    assert line == {"source": str(picture), "frame": 0, "time": 0.0, "width": 512, "height": 512}
    assert (person["class_id"], person["id"]) == ("no_mask", "")
    assert set(person["scores"]) == set(load_manifest().class_ids)
    assert sum(person["scores"].values()) == pytest.approx(1, abs=1e-3)
    assert person["box"] == pytest.approx([178, 63, 90, 113], abs=25)  # Haar is square
    x, y, width, height = map(round, person["box"])
    differs = (cv2.imread(str(out / picture.name)) != astronaut).any(axis=2)
    assert differs[y + height // 2, x] and differs[y + height, x + width // 2]
    assert not differs[y + height // 2, x + width // 2] and not differs[-100:].any()


def test_nobody_is_an_empty_array(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.jpg"), np.full((60, 80, 3), 200, np.uint8))
    assert annotate(tmp_path / "wall.jpg", "--json", tmp_path / "lines") == 0
    assert read(tmp_path / "lines")[0]["detections"] == []


def test_gives_a_video_a_line_for_every_frame(clip: Path, tmp_path: Path) -> None:
    assert annotate(clip, "--out", tmp_path / "out") == 0
    lines = read(tmp_path / "out" / "annotations.jsonl")
    assert [line["frame"] for line in lines] == list(range(12))
    assert [line["time"] for line in lines] == pytest.approx([index / 15 for index in range(12)], abs=1e-3)
    assert {(line["width"], line["height"]) for line in lines} == {(321, 239)}
    assert [[person["id"] for person in line["detections"]] for line in lines] == [["1"]] * 12
    copy = read_video(tmp_path / "out" / "clip.mp4")
    assert len(copy) == 12 and copy[0].shape == (238, 320, 3)


def test_prints_the_lines_and_nothing_else(picture: Path) -> None:
    done = run(picture, picture.parent)
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["source"] == str(picture)
    assert done.returncode == 0
    assert "1 frame, 1 face (0 mask, 0 improper_mask, 1 no_mask), 0 errors" in done.stderr


def test_goes_on_past_what_cannot_be_read(picture: Path, tmp_path: Path) -> None:
    broken = cv2.imencode(".png", np.zeros((99, 99, 3), np.uint8))[1].tobytes()[:-50]
    for name in ("broken.png", "broken.mp4"):
        (tmp_path / name).write_bytes(broken)
    (tmp_path / "empty").mkdir()
    specs = [tmp_path / "broken.png", tmp_path / "broken.mp4", tmp_path / "empty", "none.jpg", "99", picture]
    done = run(*specs, "--out", tmp_path / "out")
    assert done.returncode == 0
    *failures, line = read(tmp_path / "out" / "annotations.jsonl")
    assert [failure["source"] for failure in failures] == [str(spec) for spec in specs[:-1]]
    assert all(failure["frame"] == 0 and failure["error"] in done.stderr for failure in failures)
    assert "detections" in line
    chatter = [text for text in done.stderr.splitlines() if not text.startswith("annotate: ")]
    assert chatter == []


def test_fails_only_where_nothing_can_be_read(picture: Path, tmp_path: Path) -> None:
    assert annotate("none.jpg", "99", "--json", tmp_path / "lines") == 1
    assert len(read(tmp_path / "lines")) == 2


def test_keeps_the_frames_of_a_video_that_is_cut_off(tmp_path: Path) -> None:
    video = make_video(tmp_path / "cut.mp4", 60)
    cut_off(video, 0.5)
    assert annotate(video, "--out", tmp_path / "out") == 0
    *frames, last = read(tmp_path / "out" / "annotations.jsonl")
    assert "cut off" in last["error"] and last["frame"] == len(frames) > 10
    assert len(read_video(tmp_path / "out" / "cut.mp4")) == len(frames)
    assert annotate(video, "--out", tmp_path / "out", "--resume") == 0
    assert read(tmp_path / "out" / "annotations.jsonl") == [*frames, last]


def test_copies_of_one_name_keep_apart(picture: Path, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "a" / "below").mkdir(parents=True)
    for name in ("a/x.png", "a/below/x.png", "x.pgm", "größe 2 #%d.jpg"):
        cv2.imwrite(str(tmp_path / name), np.zeros((20, 20), np.uint8))
    make_video(tmp_path / "clip.mp4", 1)
    inputs = ["a/x.png", "a/below", "a/../a/x.png", "x.pgm", "größe 2 #%d.jpg", "clip.avi", "clip.mp4"]
    assert annotate(*(tmp_path / name for name in inputs), "--out", tmp_path / "out") == 0
    copies = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert copies == {
        *("x.png", "below/x.png", "x.pgm.png", "größe 2 #%d.jpg", "clip.avi.mp4", "clip.mp4"),
        "annotations.jsonl",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{in}/one person.png", "--out", "{in}"), "would replace an input"),
        (("{in}/one person.png", "--out", "{in}", "--overwrite"), "would replace an input"),
        (("{in}/one person.png", "--json", "{in}/one person.png", "--overwrite"), "is an input"),
        (("{out}/a.jpg", "--json", "{in}/one person.png", "--overwrite"), "not a line of JSON: name another"),
        (("{in}", "--out", "{out}"), "annotations.jsonl' exists: --resume .* --overwrite"),
        (("{in}", "--json", "{in}/new", "--out", "{out}"), "one person.png' exists.*--overwrite"),
        (("{in}", "--json", "{out}/other"), "line 1 of .*other' is not of annotate: name another"),
        (("{in}", "--resume"), "--resume .*--json or --out"),
        (("{in}", "--json", "{in}/none/lines"), "none/lines.*No such file"),
        (("{in}", "--out", "{out}/annotations.jsonl"), "annotations.jsonl.*File exists"),
        (("{in}", "--json", "/dev/full"), "/dev/full.*No space left"),
        (("{in}", "--face-detector", "yunet", "--face-model", "none.onnx"), "none.onnx is missing"),
        (("{in}", "--classifier", "best"), "no model 'best'"),
    ],
)
def test_refuses_in_one_line(
    arguments: tuple[str, ...], message: str, picture: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert annotate(picture, "--out", out) == 0
    (out / "other").write_text('{"name": "not ours"}\n')
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capfd.readouterr()
    assert annotate(*(text.format(**{"in": picture.parent, "out": out}) for text in arguments)) == 1
    (complaint,) = capfd.readouterr().err.splitlines()
    assert complaint.startswith("annotate: ")
    assert re.search(message, complaint)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_resuming_what_is_done_changes_nothing_and_overwriting_starts_again(
    picture: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    annotate(picture, "--out", out)
    before = (out / "annotations.jsonl").read_bytes(), (out / picture.name).stat().st_mtime_ns
    assert annotate(picture, "--out", out, "--resume") == 0
    assert ((out / "annotations.jsonl").read_bytes(), (out / picture.name).stat().st_mtime_ns) == before
    assert annotate(picture, "none.jpg", "--out", out, "--overwrite") == 0
    assert len(read(out / "annotations.jsonl")) == 2
    assert (out / picture.name).stat().st_mtime_ns > before[1]


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGKILL", -signal.SIGKILL)])
def test_a_run_that_was_ended_goes_on_to_the_same_result(
    name: str, code: int, picture: Path, clip: Path, tmp_path: Path
) -> None:
    inputs = [picture, clip, make_video(tmp_path / "short.mp4", 2)]
    whole, ended = tmp_path / "whole", tmp_path / "ended"
    assert annotate(*inputs, "--out", whole) == 0
    assert interrupted(6, name, *inputs, "--out", ended) == code
    lines = (ended / "annotations.jsonl").read_bytes()
    assert (whole / "annotations.jsonl").read_bytes().startswith(lines)
    if name != "SIGKILL":
        assert len(read(ended / "annotations.jsonl")) == 6
        assert len(read_video(ended / "clip.mp4")) == 5
    assert interrupted(4, name, *inputs, "--out", ended, "--resume") == code
    assert annotate(*inputs, "--out", ended, "--resume") == 0
    assert {path.name: path.read_bytes() for path in ended.iterdir()} == {
        path.name: path.read_bytes() for path in whole.iterdir()
    }


def test_a_resumed_run_looks_at_no_frame_twice(clip: Path, tmp_path: Path) -> None:
    assert interrupted(7, "SIGINT", clip, "--json", tmp_path / "lines") == 130
    assert interrupted(6, "SIGKILL", clip, "--json", tmp_path / "lines", "--resume") == 0
    assert [line["frame"] for line in read(tmp_path / "lines")] == list(range(12))


def test_a_line_that_was_not_finished_is_written_again(clip: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    annotate(clip, "--json", lines)
    whole = lines.read_bytes()
    lines.write_bytes(whole[: len(whole) * 2 // 3])
    assert annotate(clip, "--json", lines, "--resume") == 0
    assert lines.read_bytes() == whole


def test_a_reader_that_leaves_ends_it_quietly(clip: Path) -> None:
    command = [sys.executable, "-m", "mask_detector", "annotate", str(clip)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        complaints = list(process.stderr)
    assert (process.returncode, complaints) == (0, [])


def test_what_could_not_be_read_is_tried_again_when_the_run_is_resumed(
    picture: Path, astronaut: Image, tmp_path: Path
) -> None:
    broken, lines = tmp_path / "broken.png", tmp_path / "lines"
    broken.write_bytes(b"")
    assert annotate(broken, picture, "--json", lines) == 0
    cv2.imwrite(str(broken), astronaut)
    assert annotate(broken, picture, "--json", lines, "--resume") == 0
    assert [line["source"] for line in read(lines)] == [str(picture), str(broken)]
    assert all(len(line["detections"]) == 1 for line in read(lines))


def test_a_source_that_is_gone_is_told_and_its_lines_stay(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert interrupted(7, "SIGINT", clip, "--out", out) == 130
    lines, copy = (out / "annotations.jsonl").read_bytes(), (out / "clip.mp4").read_bytes()
    clip.unlink()
    assert annotate(clip, "--out", out, "--resume", "--blur-faces") == 1
    assert re.search("clip.avi' cannot be read: No such file", told := capsys.readouterr().err)
    assert f"'{out / 'clip.mp4'}' is of a former run and may show faces: delete it" in told
    assert ((out / "annotations.jsonl").read_bytes(), (out / "clip.mp4").read_bytes()) == (lines, copy)


@pytest.mark.parametrize("content", ['{"my": "settings"}', "a note", "\x00"])
def test_a_file_of_somebody_else_is_left_alone(picture: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "notes").write_text(content)
    assert annotate(picture, "--json", tmp_path / "notes") == 1
    assert (tmp_path / "notes").read_text() == content


def test_overwriting_leaves_links_and_devices_what_they_are(picture: Path, tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    annotate(picture, "--json", target)
    link.symlink_to(target)
    before = target.read_bytes()
    assert annotate(picture, "--json", link, "--overwrite") == 0
    assert link.is_symlink() and target.read_bytes() == before
    (tmp_path / "null").symlink_to("/dev/null")
    assert annotate(picture, "--json", tmp_path / "null", "--overwrite") == 0
    assert Path("/dev/null").is_char_device()


def test_a_copy_that_cannot_be_made_costs_nothing_else(
    picture: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd").mkdir()
    wide, long, dot = (
        tmp_path / "odd" / "wide.jpg",
        tmp_path / "odd" / f"{'x' * 249}.png",
        tmp_path / "dot.avi",
    )
    wide.write_bytes(cv2.imencode(".png", np.zeros((4, 66_000, 3), np.uint8))[1].tobytes())
    cv2.imwrite(str(long), np.zeros((9, 9, 3), np.uint8))
    make_video(dot, 2, (1, 1))
    out = tmp_path / "out"
    for again in ((), ("--resume",)):
        assert annotate(wide, long, dot, picture, "--out", out, *again) == 0
        told = capfd.readouterr().err
        assert "wide.jpg': .jpg holds no picture of 66000x4 pixels" in told
        assert re.search("cannot write '.*dot.mp4' as MP4, 1x1", told)
        assert "5 frames" in told and "2 errors" in told and len(told.splitlines()) == 4
    assert len(read(out / "annotations.jsonl")) == 5
    assert {path.name for path in out.iterdir()} == {long.name, picture.name, "annotations.jsonl"}


def test_ctrl_c_while_it_starts_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mask_detector.__main__.import_module", interrupt)
    for name, code in (("annotate", 130), ("bag", 130), ("detector", 0)):
        monkeypatch.setattr(sys, "argv", ["mask_detector", name])
        assert start() == code
