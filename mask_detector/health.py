"""How well the detector does its work, judged from a few numbers: levels, and what to do about them."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from enum import IntEnum

import numpy as np

SILENCE = 5.0  # seconds without an image after which something is wrong
_LATE = 0.5  # seconds from image to detections at the 99th percentile: too late to react to a person
_DROPPED = 0.5  # share of the frames; half of a fast camera's may go, newer ones came


class Level(IntEnum):
    """As in diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Counts:
    """Frames: worked on, left out for newer ones, unreadable, and those on which the detector failed."""

    processed: int = 0
    dropped: int = 0
    malformed: int = 0
    failed: int = 0

    def since(self, before: "Counts") -> "Counts":
        """Return what was added since `before`."""
        return Counts(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))


@dataclass(frozen=True)
class Health:
    """What is known at one moment; times in seconds.

    Attributes:
        idle: why nothing is to be expected; empty while images are received.
        topic: where images come from.
        publishers: how many publish there.
        age: since the last image, or since receiving began; `heard` tells whether one came at all.
        trouble: why no image comes, or what was wrong with the last malformed one.
        total, recent: frames since the start, and in the last `period`.
        latencies: of the recent frames, from the arrival of the image to its detections.
    """

    idle: str = ""
    topic: str = ""
    publishers: int = 0
    age: float = 0.0
    heard: bool = False
    trouble: str = ""
    total: Counts = Counts()
    recent: Counts = Counts()
    period: float = 1.0
    latencies: Sequence[float] = ()


@dataclass(frozen=True)
class Status:
    """One entry of /diagnostics."""

    name: str
    level: Level
    message: str
    values: dict[str, str] = field(default_factory=dict)


def statuses(health: Health) -> list[Status]:
    """Judge the images that come in and the detections that go out."""
    return [
        Status("images", *_judge_images(health), _image_values(health)),
        Status("detections", *_judge_detections(health), _detection_values(health)),
    ]


def _judge_images(health: Health) -> tuple[Level, str]:
    recent, period = health.recent, f"in the last {health.period:.0f} s"
    if health.idle:
        return Level.OK, health.idle
    if health.age >= SILENCE:
        return Level.ERROR, f"no image on {health.topic} for {health.age:.0f} s: {health.trouble}"
    if not health.heard:
        return Level.STALE, f"waiting for the first image on {health.topic}"
    if recent.malformed:
        return Level.WARN, f"{recent.malformed} malformed {period}, mend the camera driver: {health.trouble}"
    if recent.dropped > _DROPPED * (recent.dropped + recent.processed):
        return Level.WARN, (
            f"{recent.dropped} frames dropped {period}: lower the camera's rate or face_input_size"
        )
    return Level.OK, "images arrive"


def _judge_detections(health: Health) -> tuple[Level, str]:
    if health.idle:
        return Level.OK, health.idle
    if health.recent.failed:
        return (
            Level.ERROR,
            f"failed on {health.recent.failed} frames: the node's log tells why; please report",
        )
    if not health.latencies:
        return Level.STALE, "no image to work on"
    if _percentile(health, 99) > _LATE:
        return Level.WARN, "detections come late: lower face_input_size, or relieve the processor"
    return Level.OK, "detections are published"


def _image_values(health: Health) -> dict[str, str]:
    return {
        "topic": health.topic,
        "publishers": str(health.publishers),
        "age of the last image (s)": f"{health.age:.2f}" if health.heard else "none yet",
        "dropped": str(health.total.dropped),
        "malformed": str(health.total.malformed),
    }


def _detection_values(health: Health) -> dict[str, str]:
    return {
        "rate (Hz)": f"{health.recent.processed / health.period:.2f}",
        "latency, median (ms)": f"{1000 * _percentile(health, 50):.1f}",
        "latency, 99th percentile (ms)": f"{1000 * _percentile(health, 99):.1f}",
        "frames": str(health.total.processed),
        "failed": str(health.total.failed),
    }


def _percentile(health: Health, share: float) -> float:
    return float(np.percentile(health.latencies, share)) if health.latencies else 0.0
