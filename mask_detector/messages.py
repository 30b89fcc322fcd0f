"""Detections and images as ROS messages; the header given goes out as it came in."""

from collections.abc import Sequence
from typing import TypeVar

from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from vision_msgs.msg import (
    Detection2D,
    Detection2DArray,
    LabelInfo,
    ObjectHypothesisWithPose,
    VisionClass,
    VisionInfo,
)

from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.image_conversion import to_data, to_jpeg
from mask_detector.model_store import Manifest

_Part = TypeVar("_Part")


class DetectionArrays:
    """Detection2DArray messages, one after another, out of the same parts.

    A part made anew makes a tree of default parts first: nine tenths of what a message costs.
    """

    def __init__(self) -> None:
        self._array = Detection2DArray()
        self._parts: list[Detection2D] = []

    def filled(self, detections: Sequence[Detection], header: Header) -> Detection2DArray:
        """Return what `to_detection_array` does; it is good until the next call, so publish it before."""
        parts = _as_many(self._parts, len(detections), Detection2D)
        for part, detection in zip(parts, detections, strict=True):
            _fill(part, detection, header)
        self._array.header, self._array.detections = header, parts
        return self._array


def to_detection_array(detections: Sequence[Detection], header: Header) -> Detection2DArray:
    """Return a Detection2DArray, empty where nobody is; `header` stands on it and on each detection."""
    return DetectionArrays().filled(detections, header)


def _as_many(parts: list[_Part], number: int, make: type[_Part]) -> list[_Part]:
    """Return so many of the parts; those that are missing are made."""
    while len(parts) < number:
        parts.append(make())
    return parts[:number]


def _fill(message: Detection2D, detection: Detection, header: Header) -> None:
    x, y, width, height = detection.box
    message.header, message.id = header, detection.id
    message.results = _as_many(message.results, len(detection.scores), ObjectHypothesisWithPose)
    for result, (class_id, score) in zip(message.results, detection.scores.items(), strict=True):
        result.hypothesis.class_id, result.hypothesis.score = class_id, score
    box = message.bbox
    box.size_x, box.size_y = width, height
    box.center.position.x, box.center.position.y = x + width / 2, y + height / 2


def seconds_of(header: Header, arrived: float) -> float:
    """Return the time of a stamp in seconds; when it arrived, where the sender leaves it at 0."""
    stamp = header.stamp
    return stamp.sec + stamp.nanosec * 1e-9 if stamp.sec or stamp.nanosec else arrived


def to_image(image: Image, header: Header) -> ImageMsg:
    """Return a BGR image as an Image message with encoding bgr8."""
    height, width = image.shape[:2]
    return ImageMsg(
        header=header, height=height, width=width, encoding="bgr8", step=width * 3, data=to_data(image)
    )


def to_compressed_image(image: Image, header: Header, quality: int) -> CompressedImage:
    """Return a BGR image as a JPEG CompressedImage message; `quality` is 1 to 100."""
    return CompressedImage(header=header, format="bgr8; jpeg compressed bgr8", data=to_jpeg(image, quality))


def to_label_info(manifest: Manifest, header: Header) -> LabelInfo:
    """Return the classes in manifest order, numbered from 0; every score is published."""
    classes = [VisionClass(class_id=i, class_name=name) for i, name in enumerate(manifest.class_ids)]
    return LabelInfo(header=header, class_map=classes, threshold=0.0)


def to_vision_info(method: str, manifest: Manifest, header: Header) -> VisionInfo:
    """Return which models are at work and where they are described."""
    return VisionInfo(header=header, method=method, database_location=str(manifest.folder / "manifest.json"))


def from_detection_array(array: Detection2DArray) -> list[Detection]:
    """Return the detections in a Detection2DArray of this package."""
    return [_from_message(one) for one in array.detections]


def _from_message(message: Detection2D) -> Detection:
    box = message.bbox
    x, y = box.center.position.x - box.size_x / 2, box.center.position.y - box.size_y / 2
    scores = {result.hypothesis.class_id: result.hypothesis.score for result in message.results}
    return Detection((x, y, box.size_x, box.size_y), scores, message.id)
