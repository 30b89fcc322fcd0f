"""What the detector node would have published while a bag was played, frame by frame and none left out."""

from collections.abc import Callable

from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header
from vision_msgs.msg import Detection2DArray

from mask_detector.bag.files import BagWriter
from mask_detector.blurring import blur_faces
from mask_detector.crops import Image
from mask_detector.drawing import draw_detections
from mask_detector.errors import ImageError
from mask_detector.follow import People, VideoDetector
from mask_detector.frame_time import FrameTime
from mask_detector.image_conversion import JPEG_QUALITY, compressed_to_bgr, to_bgr
from mask_detector.messages import to_compressed_image, to_detection_array, to_image
from mask_detector.pipeline import MaskDetector

IMAGE_TYPES = {"sensor_msgs/msg/Image": ImageMsg, "sensor_msgs/msg/CompressedImage": CompressedImage}

_NODE = "/mask_detector"
_DETECTIONS, _CHANGES = f"{_NODE}/detections", f"{_NODE}/state_changes"
_ANNOTATED = {ImageMsg: f"{_NODE}/annotated_image", CompressedImage: f"{_NODE}/annotated_image/compressed"}
OUR_TOPICS = (_DETECTIONS, _CHANGES, *_ANNOTATED.values())


class BagAnnotator:
    """Writes the answer to each image of one topic into a bag, under the names of the node's topics.

    The annotated image is raw where the images are and compressed where they are; with `blur` it shows
    no face. `warn` is told once of stamps that stand still.
    """

    def __init__(
        self,
        detector: MaskDetector,
        kind: type,
        writer: BagWriter,
        blur: bool,
        warn: Callable[[str], object],
    ) -> None:
        self._video = VideoDetector(detector, People(detector.class_ids))
        self._kind = kind
        self._writer = writer
        self._blur = blur
        self._time_of = FrameTime(warn)
        writer.announce(_DETECTIONS, Detection2DArray)
        writer.announce(_CHANGES, Detection2DArray, latched=True)
        writer.announce(_ANNOTATED[kind], kind)

    def answer(self, data: bytes, time: int) -> int:
        """Write what is seen in an image message that was recorded at `time` ns; return how many people.

        Raises:
            ImageError: the message holds no picture; nothing is written.
        """
        image, header = self._read(data)
        seconds = self._time_of(header, time * 1e-9)
        seen = self._video.see(image, seconds)
        people = seen.people
        changes = self._video.people.learn(people, seconds)
        self._writer.add(_DETECTIONS, to_detection_array(people, header), time)
        if changes:
            self._writer.add(_CHANGES, to_detection_array(changes, header), time)
        drawn = draw_detections(blur_faces(image, seen.boxes) if self._blur else image, people)
        raw = self._kind is ImageMsg
        message = to_image(drawn, header) if raw else to_compressed_image(drawn, header, JPEG_QUALITY)
        self._writer.add(_ANNOTATED[self._kind], message, time)
        return len(people)

    def _read(self, data: bytes) -> tuple[Image, Header]:
        try:
            message = deserialize_message(data, self._kind)
        except Exception as error:  # whatever the middleware has for it
            raise ImageError(f"{len(data)} bytes that are no {self._kind.__name__} message") from error
        image = to_bgr(message) if self._kind is ImageMsg else compressed_to_bgr(message.data)
        return image, message.header
