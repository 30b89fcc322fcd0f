"""What is known right now, for every page that is open.

It belongs to the thread of the event loop. Nothing is queued for a page: each is told the newest
state when it is ready for it, so that a slow one neither falls behind nor fills the memory.
"""

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from mask_detector.health import Status
from mask_detector.viewer.history import LONGEST, History

MOST_CHANGES = 50  # of the newest changes that are kept in memory
_SHARED = 0.1  # seconds for which all pages are told the same
_WATCHED = 2.0  # seconds for which a camera is watched after a page has asked for a picture


class Signal:
    """Wakes all that wait; to be used in the thread of the event loop alone."""

    def __init__(self) -> None:
        self._future: asyncio.Future | None = None

    def set(self) -> None:
        """Wake them."""
        future, self._future = self._future, None
        if future:
            future.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Wait for the next `set`, at most for so long."""
        self._future = self._future or asyncio.get_running_loop().create_future()
        await asyncio.wait([self._future], timeout=seconds)


@dataclass(frozen=True)
class Setting:
    """A parameter of a detector that a slider changes."""

    name: str
    description: str
    low: float
    high: float
    whole: bool
    value: float


@dataclass(frozen=True)
class Picture:
    """An annotated image as JPEG, numbered in the order of arrival."""

    number: int
    jpeg: bytes


@dataclass(frozen=True)
class Change:
    """A person whose state has settled or changed; `class_id` is empty for who has left.

    `time` is in seconds since 1970; `crop` is a JPEG of the face, empty where none is allowed.
    """

    camera: str
    person: str
    class_id: str
    time: float
    crop: bytes = b""
    number: int = 0


@dataclass
class Camera:
    """One detector node, under its full name.

    Attributes:
        alive: whether it is in the graph.
        blurred: whether it blurs faces itself; None until that is known.
        counts: people now, by class.
        seen: when detections came last, by the steady clock.
        watched: until when somebody looks, by the steady clock.
    """

    name: str
    alive: bool = False
    blurred: bool | None = None
    counts: dict[str, int] = field(default_factory=dict)
    seen: float = float("-inf")
    watched: float = float("-inf")
    paused: bool = False
    health: dict[str, Status] = field(default_factory=dict)
    settings: list[Setting] = field(default_factory=list)
    picture: Picture | None = None

    def state(self) -> str:
        """Return gone, paused, silent or live."""
        if not self.alive:
            return "gone"
        if self.paused:
            return "paused"
        return "live" if time.monotonic() - self.seen < LONGEST else "silent"

    def to_json(self) -> dict[str, Any]:
        """Return what a page shows."""
        state = self.state()
        return {
            "name": self.name,
            "state": state,
            "blurred": self.blurred,
            "counts": self.counts if state == "live" else None,
            "health": [asdict(status) for status in self.health.values()],
        }


class Live:
    """All cameras and the newest changes; told by `ros_node`, read by the pages.

    Attributes:
        pictures: set when a new picture has come.
    """

    def __init__(self, class_ids: Sequence[str], history: History) -> None:
        self.cameras: dict[str, Camera] = {}
        self.changes: deque[Change] = deque(maxlen=MOST_CHANGES)
        self.pictures = Signal()
        self._class_ids = tuple(class_ids)
        self._history = history
        self._numbers = itertools.count(1)
        self._parts: tuple[float, dict[str, str]] = (float("-inf"), {})

    def appeared(self, name: str, alive: bool) -> None:
        """Take in that a detector is in the graph, or no more."""
        camera = self.cameras.setdefault(name, Camera(name))
        camera.alive = alive
        if not alive:
            camera.blurred, camera.paused, camera.picture = None, False, None
            camera.health.clear()

    def forgotten(self, name: str) -> None:
        """Drop a detector that does not come back."""
        self.cameras.pop(name, None)

    def people(self, name: str, classes: Sequence[str]) -> None:
        """Take in who is in a frame, by class."""
        camera = self.cameras[name]
        counts = {class_id: classes.count(class_id) for class_id in self._class_ids}
        now = time.monotonic()
        self._history.add_people(name, camera.counts, now - camera.seen)
        camera.counts, camera.seen = counts, now

    def changed(self, change: Change) -> None:
        """Take in a change of somebody's state."""
        self.changes.append(replace(change, number=next(self._numbers)))
        self._history.add_change(change.camera, change.class_id, change.time)

    def told(self, name: str, statuses: Sequence[Status], paused: bool) -> None:
        """Take in what a detector says of its health."""
        camera = self.cameras.get(name)
        if camera and camera.alive:
            camera.health.update((status.name, status) for status in statuses)
            camera.paused = paused

    def configured(self, name: str, settings: list[Setting], blurred: bool) -> None:
        """Take in the parameters of a detector."""
        camera = self.cameras[name]
        camera.settings, camera.blurred = settings, blurred

    def pictured(self, name: str, jpeg: bytes | None) -> None:
        """Take in an annotated image; None when no more of them come."""
        self.cameras[name].picture = Picture(next(self._numbers), jpeg) if jpeg else None
        self.pictures.set()

    def watch(self, name: str) -> Picture | None:
        """Keep the images of a camera coming for a while; return the newest one."""
        camera = self.cameras.get(name)
        if not camera:
            return None
        camera.watched = time.monotonic() + _WATCHED
        return camera.picture

    def watched(self, name: str) -> bool:
        """Tell whether somebody looks at a camera; may be called from any thread."""
        camera = self.cameras.get(name)
        return bool(camera and camera.watched > time.monotonic())

    def crop(self, number: int) -> bytes:
        """Return the face of a change as JPEG, empty if there is none."""
        return next((change.crop for change in self.changes if change.number == number), b"")

    def parts(self) -> dict[str, str]:
        """Return the state as JSON, in parts that change at different rates; made once for many pages."""
        made, parts = self._parts
        if time.monotonic() - made > _SHARED:
            parts = self._written()
            self._parts = (time.monotonic(), parts)
        return parts

    def _written(self) -> dict[str, str]:
        cameras = sorted(self.cameras.values(), key=lambda camera: camera.name)
        settings = {camera.name: [asdict(one) for one in camera.settings] for camera in cameras}
        content = {
            "cameras": [camera.to_json() for camera in cameras],
            "settings": settings,
            "changes": [_change_to_json(change) for change in reversed(self.changes)],
        }
        return {part: json.dumps({part: value}) for part, value in content.items()}


def _change_to_json(change: Change) -> dict[str, Any]:
    return {**asdict(replace(change, crop=b"")), "crop": bool(change.crop)}
