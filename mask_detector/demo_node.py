"""The node of the demo: it sends a frame as a camera would, until the detector has answered it."""

import subprocess
import time
from collections import deque
from dataclasses import replace
from threading import Event
from typing import Any

import cv2
import numpy as np
import rclpy
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.node import Node
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.errors import MaskDetectorError
from mask_detector.frame_sources import Frame
from mask_detector.image_conversion import to_bgr
from mask_detector.messages import from_detection_array, to_image

NAMESPACE = "/demo"
_SEND_AGAIN = 0.5  # seconds
_BETWEEN_PICTURES = 60.0  # seconds, by the stamps
_PATIENCE = 30.0  # seconds until an answer is given up
_LARGEST = 1920 * 1080  # pixels; of larger images Fast DDS loses most on their way (config/fastdds.xml)
_REMEMBERED = 10_000  # latest latencies


class Demo(Node):
    """Stands in for camera and rviz2: sends images, takes detections and annotated images."""

    def __init__(self, detector: subprocess.Popen, stop: Event) -> None:
        super().__init__("demo", namespace=NAMESPACE)
        self._detector = detector
        self._stop = stop
        self._publisher = self.create_publisher(ImageMsg, "image", 1)
        self._answers: dict[type, Any] = {}
        self.create_subscription(Detection2DArray, "mask_detector/detections", self._take, 10)
        self.create_subscription(ImageMsg, "mask_detector/annotated_image", self._take, 10)
        self.latencies: deque[float] = deque(maxlen=_REMEMBERED)
        self._source, self._ahead, self._began = "", 0.0, self.get_clock().now()

    def _take(self, message: Detection2DArray | ImageMsg) -> None:
        self._answers[type(message)] = message

    def ask(self, frame: Frame) -> tuple[list[Detection], Image] | None:
        """Return what the detector makes of a frame; None if the demo is stopped meanwhile.

        Boxes are in pixels of the frame; the annotated image is smaller where the frame is very large.

        Raises:
            MaskDetectorError: the detector has ended or does not answer.
        """
        header = Header(stamp=self._stamp(frame), frame_id="camera")
        message = to_image(_shrunk(frame.image), header)
        began = time.monotonic()
        while time.monotonic() < began + _PATIENCE:
            sent = time.monotonic()
            self._publisher.publish(message)
            while time.monotonic() - sent < _SEND_AGAIN:
                rclpy.spin_once(self, timeout_sec=0.05)
                if self._answered(header):
                    self.latencies.append(time.monotonic() - began)
                    return self._answer(frame)
                if self._stop.is_set():
                    return None
                if self._detector.poll() is not None:
                    raise MaskDetectorError("the detector has ended; its reason is above")
        raise MaskDetectorError(f"the detector has not answered for {_PATIENCE:.0f} s")

    def _answer(self, frame: Frame) -> tuple[list[Detection], Image]:
        shown = to_bgr(self._answers[ImageMsg])
        larger = np.divide(frame.image.shape[1::-1], shown.shape[1::-1])
        found = from_detection_array(self._answers[Detection2DArray])
        boxes = [tuple(np.multiply(one.box, [*larger, *larger]).tolist()) for one in found]
        return [replace(one, box=box) for one, box in zip(found, boxes, strict=True)], shown

    @property
    def watched(self) -> bool:
        """Whether somebody looks at the page."""
        return self.count_subscribers("mask_detector/annotated_image/compressed") > 0

    def _stamp(self, frame: Frame) -> Time:
        """Return the time of a frame by the source's own clock, so that a busy machine changes nothing.

        Each picture seems so much later that nobody in it is taken for known.
        """
        if frame.index == 0:
            if frame.source != self._source:
                self._source, self._ahead = frame.source, self._ahead + _BETWEEN_PICTURES
            self._began = self.get_clock().now() + Duration(seconds=self._ahead)
        return (self._began + Duration(seconds=frame.time)).to_msg()

    def _answered(self, header: Header) -> bool:
        stamps = [answer.header.stamp for answer in self._answers.values()]
        return stamps == [header.stamp] * 2


def _shrunk(image: Image) -> Image:
    """Return the image, or a smaller one where it is too large to be sent."""
    scale = (_LARGEST / (image.shape[0] * image.shape[1])) ** 0.5
    if scale >= 1:
        return image
    size = [max(1, int(side * scale)) for side in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
