"""Health: each trouble gets its level and says what to do."""

import pytest

from mask_detector.health import Counts, Health, Level, statuses

GOOD = {"topic": "/image", "publishers": 1, "heard": True, "period": 10.0}
BUSY = Counts(processed=100)


@pytest.mark.parametrize(
    ("facts", "images", "detections"),
    [
        ({"idle": "paused"}, (Level.OK, "paused"), (Level.OK, "paused")),
        ({"heard": False}, (Level.STALE, "waiting for the first"), (Level.STALE, "no image")),
        ({"heard": False, "age": 7.0, "trouble": "why"}, (Level.ERROR, "for 7 s: why"), None),
        ({"recent": BUSY, "latencies": [0.02] * 100}, (Level.OK, "arrive"), (Level.OK, "published")),
        ({"recent": Counts(50, malformed=3), "trouble": "cut"}, (Level.WARN, "3 malformed in"), None),
        ({"recent": Counts(50, dropped=51)}, (Level.WARN, "lower the camera's rate"), None),
        ({"recent": Counts(50, dropped=49)}, (Level.OK, "arrive"), None),
        ({"recent": Counts(50, failed=1)}, (Level.OK, "arrive"), (Level.ERROR, "failed on 1")),
        ({"recent": BUSY, "latencies": [0.02] * 50 + [0.9] * 2}, (Level.OK, ""), (Level.WARN, "late")),
    ],
)  # fmt: skip
def test_levels_and_messages(facts, images, detections):
    for status, expected in zip(statuses(Health(**{**GOOD, **facts})), (images, detections), strict=True):
        if expected:
            assert (status.level, expected[1] in status.message) == (expected[0], True), status.message


def test_values_are_of_the_last_seconds_and_counts_of_the_whole_run():
    total = Counts(processed=1000, dropped=7, malformed=2, failed=1)
    recent = total.since(Counts(processed=850, dropped=7, malformed=2, failed=1))
    images, detections = statuses(
        Health(**GOOD, age=0.03, total=total, recent=recent, latencies=[0.01, 0.02, 0.03])
    )
    assert images.values == {
        "topic": "/image",
        "publishers": "1",
        "age of the last image (s)": "0.03",
        "dropped": "7",
        "malformed": "2",
    }
    assert detections.values["rate (Hz)"] == "15.00"
    assert detections.values["latency, median (ms)"] == "20.0"
    assert detections.values["latency, 99th percentile (ms)"] == "29.8"
    assert (detections.values["frames"], detections.values["failed"]) == ("1000", "1")
