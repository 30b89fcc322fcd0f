"""Detections and images as ROS messages; the header given goes out as it came in."""

from collections.abc import Iterable

from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from vision_msgs.msg import (
    BoundingBox2D,
    Detection2D,
    Detection2DArray,
    LabelInfo,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
    VisionClass,
    VisionInfo,
)

from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.image_conversion import to_data, to_jpeg
from mask_detector.model_store import Manifest


def to_detection_array(detections: Iterable[Detection], header: Header) -> Detection2DArray:
    """Return a Detection2DArray, empty where nobody is; `header` stands on it and on each detection."""
    return Detection2DArray(header=header, detections=[_to_message(one, header) for one in detections])


def _to_message(detection: Detection, header: Header) -> Detection2D:
    x, y, width, height = detection.box
    box = BoundingBox2D(size_x=width, size_y=height)
    box.center.position.x = x + width / 2
    box.center.position.y = y + height / 2
    results = [_to_hypothesis(*pair) for pair in detection.scores.items()]
    return Detection2D(header=header, results=results, bbox=box, id=detection.id)


def _to_hypothesis(class_id: str, score: float) -> ObjectHypothesisWithPose:
    return ObjectHypothesisWithPose(hypothesis=ObjectHypothesis(class_id=class_id, score=score))


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
