"""A camera for machines without usb_cam: publishes a video, picture, folder, webcam or stream."""

import traceback
from collections.abc import Sequence
from threading import Event, Thread

from rclpy.node import Node
from std_msgs.msg import Header

from mask_detector.errors import ImageError
from mask_detector.frame_sources import is_stream, is_webcam, open_source, without_password
from mask_detector.image_conversion import JPEG_QUALITY
from mask_detector.image_output import ImageOutput
from mask_detector.node_main import ended_by_shutdown, run_node
from mask_detector.parameters import Described, Parameters
from mask_detector.player import Player

PARAMETERS = (
    Described("source", "/dev/video0", "video, picture, folder, webcam (0, /dev/video0) or stream URL",
              any_type=True),
    Described("rate", 0.0, "frames a second; 0 for the source's own, 1 for pictures", high=240.0),
    Described("loop", True, "begin again at the end of a file; without it the node ends there"),
    Described("frame_id", "camera", "coordinate frame in the header of the images"),
    Described("jpeg_quality", JPEG_QUALITY, "quality of the compressed image", low=1, high=100),
)  # fmt: skip


class CameraNode(Node):
    """Publishes `image_raw` and `image_raw/compressed`, stamped when a frame is read.

    A file waits for its first subscriber, so that nobody misses its beginning; a webcam or stream
    that drops is opened again.

    Attributes:
        exit_code: what the process ends with; 1 once the source could not be played further.

    Raises:
        ImageError: the source is a file or folder that cannot be played.
    """

    def __init__(self, **options) -> None:
        super().__init__("camera", **options)
        self._settings = Parameters(
            self,
            PARAMETERS,
            lambda: hasattr(self, "_thread"),
            cure="when the node starts: start it again with it",
        )
        self._source = str(self._settings["source"])
        self._is_file = not is_webcam(self._source) and not is_stream(self._source)
        if self._is_file:
            open_source(self._source).close()
        self._output = ImageOutput(self, "image_raw")
        self.exit_code = 0
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()
        self.get_logger().info(f"{without_password(self._source)}: images on {self._output.topic}")

    def destroy_node(self) -> None:
        """End the play before what it publishes to is gone."""
        self._stop.set()
        self._thread.join(timeout=2.0)  # a lost stream may block its reader for longer
        super().destroy_node()

    def _run(self) -> None:
        try:
            with ended_by_shutdown():
                self._wait_for_subscriber()
                self._play()
        except Exception as error:  # whatever it is, the process may not stay without its camera
            self.exit_code = 1
            self.get_logger().fatal(str(error) if isinstance(error, ImageError) else traceback.format_exc())
        finally:
            if not self._stop.is_set():
                self.context.try_shutdown()

    def _wait_for_subscriber(self) -> None:
        while self._is_file and not self._output.wanted and not self._stop.is_set():
            self._stop.wait(0.05)

    def _play(self) -> None:
        values = self._settings
        warn = self.get_logger().warning
        for frame in Player(self._source, self._stop, warn, values["rate"], values["loop"]):
            header = Header(stamp=self.get_clock().now().to_msg(), frame_id=values["frame_id"])
            if self._output.wanted:
                self._output.publish(frame.image, header, values["jpeg_quality"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(CameraNode, arguments)
