"""`make demo`'s own command: real processes, real DDS, a real video at the end."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import Page, chromium

from mask_detector.detection import Detection
from mask_detector.timeline import Timeline


def demo(out: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "mask_detector", "demo", "--out", str(out), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen) -> tuple[list[dict], str]:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    return [json.loads(line) for line in output.splitlines()], errors


def frames_in(video: Path) -> int:
    capture, count = cv2.VideoCapture(str(video)), 0
    while capture.read()[0]:
        count += 1
    return count


def states(lines: list[dict]) -> list[str]:
    """The classes in the order in which they come, each as long as it lasts once."""
    seen = [entry["class_id"] for line in lines for entry in line["detections"]]
    return [one for index, one in enumerate(seen) if index == 0 or seen[index - 1] != one]


def test_without_a_source_a_clip_of_its_own_is_told_right(tmp_path):
    if any(Path("/dev").glob("video[0-9]*")):
        pytest.skip("this machine has a webcam, which the demo takes first")
    lines, summary = finished(demo(tmp_path))
    assert [line["frame"] for line in lines] == list(range(len(lines))) and len(lines) > 200
    assert all([person["id"] for person in line["detections"]] == ["1"] for line in lines)
    assert states(lines) == ["no_mask", "mask", "improper_mask", "mask", "improper_mask", "no_mask"]
    assert frames_in(tmp_path / "annotated.mp4") == len(lines)
    assert (tmp_path / "detections.jsonl").read_text().splitlines() == [json.dumps(line) for line in lines]
    assert f"{len(lines)} frames" in summary


def test_a_real_clip_is_followed(tmp_path, shared_data):
    clip = shared_data / "clips" / "one_person_mask_on_off.mp4"
    lines, summary = finished(demo(tmp_path, str(clip)))
    assert len(lines) == 78
    period = {"no_mask": lines[:10], "mask": lines[25:50]}
    for class_id, part in period.items():
        found = [entry["class_id"] for line in part for entry in line["detections"]]
        assert len(found) == len(part) and set(found) == {class_id}
    assert lines[-1]["detections"][0]["class_id"] == "no_mask"


def test_a_folder_with_a_damaged_picture_goes_on(tmp_path, astronaut):
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), astronaut)
    (folder / "2.png").write_bytes(b"rubbish")
    cv2.imwrite(str(folder / "3.png"), astronaut[:, ::-1])
    lines, summary = finished(demo(tmp_path / "out", str(folder)))
    assert [Path(line["source"]).name for line in lines] == ["1.png", "3.png"]
    assert "2.png" in summary
    first, second = (line["detections"][0] for line in lines)
    assert first["id"] != second["id"], "people on different pictures are not taken for each other"


def test_a_picture_too_large_to_be_sent_has_boxes_in_its_own_pixels(tmp_path, astronaut):
    large = np.zeros((5000, 7000, 3), np.uint8)
    large[:2560, :2560] = cv2.resize(astronaut, None, fx=5, fy=5)
    cv2.imwrite(str(tmp_path / "large.jpg"), large)
    (line,), summary = finished(demo(tmp_path / "out", str(tmp_path / "large.jpg")))
    assert (line["width"], line["height"]) == (7000, 5000)
    (person,) = line["detections"]
    assert person["box"] == pytest.approx([5 * value for value in (178, 63, 90, 113)], abs=125)
    assert "nearest person" not in summary


def test_pictures_of_which_none_can_be_read_are_no_success(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    _, errors = (process := demo(tmp_path / "out", str(tmp_path))).communicate(timeout=60)
    assert process.returncode == 1 and "holds nothing that can be played" in errors


def test_a_former_record_stays_until_there_is_a_new_one(tmp_path):
    for name in ("annotated.mp4", "detections.jsonl"):
        (tmp_path / name).write_text("former")
    for source in ("/nowhere.mp4", str(tmp_path / "annotated.mp4")):
        _, errors = (process := demo(tmp_path, source)).communicate(timeout=60)
        assert process.returncode == 1 and "0 frames" not in errors
    assert "is where the result goes" in errors
    assert [(tmp_path / name).read_text() for name in ("annotated.mp4", "detections.jsonl")] == ["former"] * 2


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_leaves_a_playable_video(tmp_path, astronaut, end):
    picture = tmp_path / "picture.png"
    cv2.imwrite(str(picture), astronaut)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(30):
        os.symlink(picture, folder / f"{number}.png")
    process = demo(tmp_path / "out", str(folder))
    record = tmp_path / "out" / "detections.jsonl"
    limit = time.monotonic() + 60
    while time.monotonic() < limit and not (record.is_file() and record.read_text().count("\n") >= 2):
        time.sleep(0.05)
    process.send_signal(end)
    lines, summary = finished(process)
    assert 2 <= len(lines) < 30
    assert frames_in(tmp_path / "out" / "annotated.mp4") == len(lines)


@pytest.mark.parametrize(
    ("source", "told"), [("/nowhere.mp4", "/nowhere.mp4"), (__file__, "neither a picture")]
)
def test_a_source_that_cannot_be_read_ends_with_code_1(tmp_path, source, told):
    process = demo(tmp_path, source)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told in errors and "Traceback" not in errors


def test_at_a_terminal_it_prints_where_its_page_is_and_plays_on_while_that_is_open(tmp_path, astronaut):
    picture = tmp_path / "picture.png"
    cv2.imwrite(str(picture), astronaut)
    command = [sys.executable, "-m", "mask_detector", "demo", "--out", str(tmp_path / "out"), str(picture)]
    tiles = "return [...document.querySelectorAll('.tiles b')].map((one) => one.textContent)"
    drawn = "return Number(document.querySelector('canvas').dataset.pictures ?? 0)"
    with chromium() as driver:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        said = ""
        while "plays on while it is open" not in said:
            said += os.read(ours, 1000).decode()
        (address,) = set(re.findall(r"http://127.0.0.1:\d+/", said))
        page = Page(driver, address)
        page.until(lambda: page.run(tiles) == ["0", "0", "1"], "the right count")
        page.until(lambda: page.run(drawn) > 1, "it to play on")
        assert process.poll() is None
    assert len(process.communicate(timeout=60)[0].splitlines()) == 1, "only one play is recorded"
    assert process.returncode == 0, "it ends when the page is closed"
    os.close(ours)


def test_a_timeline_leaves_flickers_out():
    def somebody(class_id: str) -> list[Detection]:
        return [Detection((0, 0, 50, 50), {class_id: 1.0}), Detection((60, 0, 10, 10), {"other": 1.0})]

    timeline = Timeline()
    story = ["a"] * 10 + ["b"] + ["a"] * 5 + ["b"] * 10
    for number, class_id in enumerate(story):
        timeline.add(number / 10, somebody(class_id))
    timeline.add(2.6, [])
    assert [state for _, _, state in timeline.periods()] == ["a", "b"]
    assert timeline.frames == 27 and timeline.faces["other"] == 26
    assert Timeline().periods() == []


def test_a_timeline_of_pictures_has_no_periods():
    timeline = Timeline()
    for _ in range(3):
        timeline.add(0.0, [])
    assert (timeline.frames, timeline.periods()) == (3, [])
