"""A viewer in a process of its own, and a clip with two people for it."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
from graph import PATIENCE, Process, running
from media import write_video

from mask_detector.crops import Image
from mask_detector.demo_clip import LANDMARKS, portrait
from mask_detector.mask_drawing import PROPER, draw_mask


def two_people(shift: int = 0) -> Image:
    """Return a BGR picture of 640x360: on the left a bare face, on the right one with a mask."""
    bare = portrait()
    people = [
        np.roll(person, shift, axis=1)[:360, 60:380] for person in (bare, draw_mask(bare, LANDMARKS, PROPER))
    ]
    return np.ascontiguousarray(np.hstack(people))


def two_people_clip(path: Path) -> Path:
    """Write a video of both, who sway a little."""
    return write_video(path, [two_people(round(6 * np.sin(i / 30 * 2 * np.pi))) for i in range(30)])


@dataclass(frozen=True)
class Viewer:
    """A viewer that runs, and how to ask it without a browser."""

    process: Process
    address: str
    token: str = ""

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[HTTPResponse, bytes]:
        """Return the answer and its body; underscores in the names of headers stand for dashes."""
        parts = urlsplit(self.address)
        connection = HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        response, body = self.request("GET", path, **headers)
        return response.status, body

    def post(self, path: str, content: Any, **headers: str) -> tuple[int, dict]:
        """Post bytes as they are, and anything else as JSON."""
        if not isinstance(content, bytes):
            content, headers = json.dumps(content).encode(), {"Content_Type": "application/json", **headers}
        response, body = self.request("POST", path, content, **headers)
        return response.status, json.loads(body) if response.getheader("Content-Type", "").startswith(
            "application/json"
        ) else {}


@contextmanager
def viewing(log: Path, *options: str) -> Iterator[Viewer]:
    """Run a viewer on a free port for as long as the block lasts."""
    with running("viewer", "--port", "0", *options, log=log) as process:
        end = time.monotonic() + 2 * PATIENCE
        while not (found := re.search(r"viewer: (http://\S+?/)(?:\?token=(\S+))?\n", process.output)):
            assert time.monotonic() < end and process.alive(), process.output
            time.sleep(0.05)
        yield Viewer(process, found[1], found[2] or "")


@contextmanager
def looking_at(image: Image, folder: Path, *options: str) -> Iterator[Viewer]:
    """Run camera, detector and viewer before a picture; what they say is in `folder`."""
    picture = folder / "person.png"
    cv2.imwrite(str(picture), image)
    camera = [
        "camera",
        "--ros-args",
        "-p",
        f"source:={picture}",
        "-p",
        "rate:=10.0",
        "-r",
        "image_raw:=image",
    ]
    with (
        running("detector", log=folder / "detector.log"),
        running(*camera, log=folder / "camera.log"),
        viewing(folder / "viewer.log", *options) as viewer,
    ):
        yield viewer


def jpeg(image: Image) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()
