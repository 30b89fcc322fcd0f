"""What was seen: kept through kills, dropped in time, told in reports, given away as files."""

import csv
import io
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow.parquet
import pytest

from mask_detector.errors import MaskDetectorError
from mask_detector.viewer.export import export
from mask_detector.viewer.history import BUCKET, WATCHED, History, Limits, averages
from mask_detector.viewer.report import report
from mask_detector.viewer.summary import summarise

MORNING = 1_767_254_400  # 1 January 2026, 08:00 UTC
HOUR = 3600


def fill(history: History, camera: str, begin: int, minutes: int, people: dict[str, float]) -> None:
    """Write minutes in which a camera was watched and so many people of each class were there."""
    batch = history.take()
    for start in range(begin, begin + 60 * minutes, BUCKET):
        batch.seconds[start, camera, WATCHED] = BUCKET
        for class_id, count in people.items():
            batch.seconds[start, camera, class_id] = count * BUCKET
    history.write(batch)


@pytest.fixture
def day() -> History:
    """Two cameras for three hours: masks become fewer, and a name is hostile."""
    history = History(limits=Limits(days=36_500))
    for hour, proper in enumerate((1.8, 1.0, 0.2)):
        people = {"mask": proper, "improper_mask": 0.2, "no_mask": 1.8 - proper}
        fill(history, "/entrance/mask_detector", MORNING + hour * HOUR, 60, people)
    fill(history, "/<b>lift/mask_detector", MORNING, 30, {"mask": 1.0})
    for minute, class_id in ((5, "mask"), (65, "no_mask"), (70, "no_mask"), (75, "improper_mask")):
        history.add_change("/entrance/mask_detector", class_id, MORNING + 60 * minute)
    history.write(history.take())
    return history


def test_seconds_are_counted_by_class_and_gaps_are_left_out():
    history = History()
    history.add_people("/a", {"mask": 2, "no_mask": 0}, 0.5)
    history.add_people("/a", {"mask": 1, "no_mask": 1}, 0.5)
    history.add_people("/a", {"mask": 9, "no_mask": 9}, 60.0)
    history.write(history.take())
    rows = history.presence(0, time.time() + 10, 86_400)
    seconds = {
        class_id: sum(row[3] for row in rows if row[2] == class_id) for class_id in ("", "mask", "no_mask")
    }
    assert seconds == {"": 1.0, "mask": 1.5, "no_mask": 0.5}
    (people,) = averages(rows).values()
    assert people == {"mask": 1.5, "no_mask": 0.5}
    assert list(averages(rows, "/b")) == []


def test_a_camera_of_one_image_a_second_is_watched():
    history = History()
    for _ in range(5):
        history.add_people("/a", {"mask": 1}, 1.1)
    history.write(history.take())
    rows = history.presence(0, time.time() + 10, 86_400)
    assert {row[2]: row[3] for row in rows} == pytest.approx({"": 5.5, "mask": 5.5})


def test_averages_of_several_cameras_add_up(day):
    rows = day.presence(MORNING, MORNING + HOUR, HOUR)
    assert averages(rows)[MORNING]["mask"] == pytest.approx(2.8)
    assert averages(rows, "/entrance/mask_detector")[MORNING]["mask"] == pytest.approx(1.8)


def test_a_kill_loses_nothing_that_was_written(tmp_path):
    path = tmp_path / "history.sqlite"
    code = (
        "import sys; from pathlib import Path; from mask_detector.viewer.history import History\n"
        f"history = History(Path({str(path)!r}))\n"
        "for number in range(10**9):\n"
        "    history.add_change('/a', 'mask', 2e9 + number)\n"
        "    history.write(history.take()); print(number, flush=True)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    written = [int(process.stdout.readline()) for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    written += map(int, process.stdout.read().split())
    changes = History(path).changes(2e9, 3e9)
    assert len(changes) in (len(written), len(written) + 1), "one may be written and not yet told"


def test_a_full_disk_at_the_end_is_told_and_what_was_written_stays(tmp_path):
    path = tmp_path / "history.sqlite"
    history = History(path)
    history.add_change("/a", "mask", 2e9)
    history.write(history.take())
    pages = history._database.execute("PRAGMA page_count").fetchone()[0]
    history._database.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(9999):
        history.add_change("/a", "no_mask", 2e9 + number)
    with pytest.raises(MaskDetectorError, match="not written: database or disk is full"):
        history.close()
    assert History(path).changes(2e9, 3e9) == [(2e9, "/a", "mask")]


def test_what_is_too_old_or_too_much_goes(tmp_path):
    path = tmp_path / "history.sqlite"
    history = History(path, Limits(days=2))
    now = int(time.time()) // BUCKET * BUCKET
    for days in range(4):
        fill(history, "/a", now - days * 86_400 - HOUR, 30, {"mask": 1.0})
    history.rotate()
    assert history.began() >= now - 2 * 86_400
    fill(history, "/a" * 200, now - 86_400, 600, {"mask": 1.0, "no_mask": 1.0})
    history.limits = Limits(megabytes=1)
    history.rotate()
    history.close()
    assert path.stat().st_size < 1_100_000
    assert now - History(path).began() < 86_400


def test_another_file_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.sqlite"
    path.write_text("no database, but words of a user, longer than its header would be " * 20)
    before = path.read_bytes()
    with pytest.raises(MaskDetectorError, match="other.sqlite' cannot be used"):
        History(path)
    assert path.read_bytes() == before
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE cats (name)")
    with pytest.raises(MaskDetectorError, match="another program's"):
        History(path)
    with pytest.raises(MaskDetectorError, match="/nowhere/"):
        History(Path("/nowhere/history.sqlite"))


def test_one_viewer_at_a_time_writes_and_others_may_read(tmp_path):
    path = tmp_path / "history.sqlite"
    history = History(path)
    with pytest.raises(MaskDetectorError, match="history.sqlite' is in use by another viewer"):
        History(path)
    history.add_change("/a", "mask", 2e9)
    history.write(history.take())
    shell = [sys.executable, "-c", "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute("
             "'SELECT class_id FROM changes'))", str(path)]  # fmt: skip
    assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout == "('mask',)\n"
    history.close()
    assert History(path).changes(2e9, 3e9) == [(2e9, "/a", "mask")]


def test_what_could_not_be_written_is_written_later():
    history = History()
    history.add_change("/a", "mask", 1.0)
    batch = history.take()
    history.add_change("/a", "no_mask", 2.0)
    history.put_back(batch)
    history.write(history.take())
    assert history.changes(0, 10) == [(1.0, "/a", "mask"), (2.0, "/a", "no_mask")]


def test_a_period_in_numbers(day):
    summary = summarise(day, MORNING, MORNING + 3 * HOUR)
    assert list(summary.cameras) == ["/<b>lift/mask_detector", "/entrance/mask_detector"]
    entrance = summary.cameras["/entrance/mask_detector"]
    assert entrance.watched == 3 * HOUR and entrance.changes == 4
    assert entrance.share("mask") == pytest.approx(0.5)
    assert summary.all.total == pytest.approx(6 * HOUR + HOUR / 2)
    worst, best = summary.extremes()
    assert MORNING <= best < MORNING + HOUR and worst >= MORNING + 2 * HOUR
    assert summary.changes[MORNING + HOUR, "no_mask"] == 2 and summary.change_step == HOUR
    assert entrance.people == pytest.approx(2.0)
    before, after = summary.halves()
    assert before == pytest.approx((1.8 * 60 + 1.0 * 30 + 30) / 210) and after < 0.3
    assert summary.unwatched() == []


def test_times_at_which_nothing_was_watched_are_known(day):
    fill(day, "/entrance/mask_detector", MORNING + 4 * HOUR, 30, {})
    summary = summarise(day, MORNING - HOUR / 2, MORNING + 5 * HOUR)
    steps = summary.step
    first, second, third = summary.unwatched()
    assert abs(first[0] - (MORNING - HOUR / 2)) <= steps and first[1] == MORNING
    assert second == (MORNING + 3 * HOUR, MORNING + 4 * HOUR)
    assert third[0] == MORNING + 4.5 * HOUR and summary.quiet
    html = report(summary)
    assert "Where there is no bar, nobody was in view. No camera was watched from" in html


def test_the_report_is_one_file_that_tells_it(day):
    html = report(summarise(day, MORNING, MORNING + 3 * HOUR))
    assert "Mask worn properly for 54% of the time that people were in view; mask worn improperly 9%" in html
    assert "“Mask worn properly” fell from 80% of the time in view in the first half" in html
    assert "It was busiest between 08:00 and 08:05, with 3.0 people in view on average." in html
    assert "4 times somebody came into view or changed how the mask was worn." in html
    assert "Where there is no bar" not in html
    assert html.count('role="img"') == 2 and "Arrivals and changes per hour" in html
    assert "<td>&lt;b&gt;lift</td>" in html and "<b>lift" not in html
    assert "http" not in html and "<script" not in html and "src=" not in html
    empty = report(summarise(History(), MORNING, MORNING + HOUR))
    assert "nothing to report" in empty


@pytest.fixture(params=["America/Los_Angeles", "Asia/Kolkata", "Europe/Berlin", "UTC"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A place whose time is local time."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def bad_day(days: int, bad: datetime) -> str:
    """Return the report of so many days, one of them bad, with people from 08:00 to 20:00 local time."""
    history = History(limits=Limits(days=36_500))
    begin = bad - timedelta(days=days // 2)
    for number in range(days):
        day = begin + timedelta(days=number)
        for hour in range(8, 20):
            at = int(day.replace(hour=hour).timestamp())
            fill(history, "/a/mask_detector", at, 1, {"no_mask" if day == bad else "mask": 1.0})
    return report(summarise(history, begin.timestamp(), (begin + timedelta(days=days)).timestamp()))


@pytest.mark.parametrize("bad", [datetime(2026, 3, 4), datetime(2026, 11, 2), datetime(2026, 4, 6)])
def test_a_bad_day_is_named_by_its_local_date(place, bad):
    """Two of them soon after summer time has begun or ended."""
    assert f"was lowest on {bad.day} {bad:%B} 2026 (0%)" in bad_day(40, bad)


def test_in_a_report_of_several_days_a_time_has_its_date(place):
    html = bad_day(7, datetime(2026, 3, 4))
    (told,) = re.findall(r"was lowest on 4 March 2026 between (\d\d):00 and (\d\d):00 \(0%\)", html)
    assert 4 < int(told[0]) < int(told[1]) <= 20
    assert "It was busiest on " in html


def test_csv_and_parquet_tell_the_same(day):
    period = (MORNING, MORNING + HOUR)
    table = list(csv.DictReader(io.StringIO(export(day, "presence", "csv", *period).decode())))
    parquet = pyarrow.parquet.read_table(io.BytesIO(export(day, "presence", "parquet", *period))).to_pylist()
    assert len(table) == len(parquet) == HOUR // BUCKET * 4 + HOUR // BUCKET // 2 * 2
    assert (
        table[0]["time"]
        == parquet[0]["time"].isoformat(timespec="milliseconds")
        == "2026-01-01T08:00:00.000+00:00"
    )
    assert sum(float(row["person_seconds"]) for row in table) == sum(row["person_seconds"] for row in parquet)
    changes = export(day, "changes", "csv", MORNING, MORNING + 2 * HOUR).decode().splitlines()
    assert changes[0] == "time,camera,class_id" and len(changes) == 5


def test_without_pyarrow_parquet_is_refused_with_the_cure(day, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MaskDetectorError, match="pip install pyarrow"):
        export(day, "presence", "parquet", MORNING, MORNING + HOUR)
