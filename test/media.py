"""Pictures, videos, cameras and disks that tests make, whole and broken."""

import resource
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import cv2
import numpy as np

from mask_detector.crops import Image
from mask_detector.opencv_video import quiet_opencv


def make_video(path: Path, frames: int, size: tuple[int, int] = (64, 48), rate: float = 15.0) -> Path:
    """Write a video of (width, height) whose frames grow brighter; AVI keeps an odd size, MP4 does not."""
    shades = np.linspace(0, 255, frames).astype(np.uint8)
    return write_video(path, [np.full((size[1], size[0], 3), shade, np.uint8) for shade in shades], rate)


def write_video(path: Path, images: list[Image], rate: float = 15.0) -> Path:
    """Write images of one size as a video."""
    quiet_opencv()
    height, width = images[0].shape[:2]
    mjpg = path.suffix == ".avi"
    backend, codec = (cv2.CAP_OPENCV_MJPEG, "MJPG") if mjpg else (cv2.CAP_FFMPEG, "mp4v")
    writer = cv2.VideoWriter(str(path), backend, cv2.VideoWriter_fourcc(*codec), rate, (width, height))
    for image in images:
        writer.write(image)
    writer.release()
    return path


def read_video(path: Path) -> list[Image]:
    """Return all frames of a video."""
    quiet_opencv()
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (image := capture.read()[1]) is not None:
        frames.append(image)
    return frames


def cut_off(video: Path, share: float) -> None:
    """Leave only the first part of the frames of an MP4, in a file that still opens.

    Its index is moved to the front first, where cameras put it that mean to stream.
    """
    content = video.read_bytes()
    index = content.rindex(b"moov") - 4
    length = struct.unpack(">I", content[index : index + 4])[0]
    head = struct.unpack(">I", content[:4])[0]
    moov, data = content[index : index + length], content[head:index]
    offset = moov.index(b"stco") + 12
    count = struct.unpack(">I", moov[offset - 4 : offset])[0]
    chunks = np.frombuffer(moov, ">u4", count, offset) + len(moov)
    moov = moov[:offset] + chunks.astype(">u4").tobytes() + moov[offset + 4 * count :]
    video.write_bytes(content[:head] + moov + data[: int(len(data) * share)])


class _Camera(BaseHTTPRequestHandler):
    """Streams five pictures as network cameras do, then closes."""

    def do_GET(self) -> None:
        picture = cv2.imencode(".jpg", np.full((48, 64, 3), 128, np.uint8))[1].tobytes()
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for _ in range(5):
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            self.wfile.write(head.encode() + picture + b"\r\n")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def network_camera() -> Iterator[str]:
    """A camera on loopback that gives five pictures at a time; the address has a password."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Camera) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://me:secret@127.0.0.1:{server.server_port}/video.mjpg"
        server.shutdown()


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let this process write no file beyond `size` bytes; only while pytest itself writes nothing."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
