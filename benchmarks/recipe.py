"""What others do, as a ROS node: `python -m benchmarks.recipe classic|nothing|PEER THREADS --ros-args …`.

Each answers the same images over the same DDS, so that only the way of finding and classifying differs;
`nothing` finds nobody at once: what is left is the transport.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image as ImageMsg
from vision_msgs.msg import Detection2DArray

from benchmarks.peer import PeerDetector
from mask_detector.crops import Image
from mask_detector.detection import Detection
from mask_detector.image_conversion import to_bgr
from mask_detector.memory import keep_freed_memory
from mask_detector.messages import to_detection_array
from mask_detector.transport import transport_environment

_SIDE = 224
Find = Callable[[Image], list[Detection]]


def classic(threads: int) -> Find:
    """Return the recipe of the classic projects: Haar at full size, then Keras `predict` for each face.

    Its weights are random: they cost the same time, and answers are not compared here.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    base = keras.applications.MobileNetV2((_SIDE, _SIDE, 3), weights=None, include_top=False, pooling="avg")
    model = keras.Sequential([base, keras.layers.Dense(3, activation="softmax")])
    cascade = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_frontalface_default.xml")
    return partial(_find_as_classic, cascade, model)


def _find_as_classic(cascade: cv2.CascadeClassifier, model, image: Image) -> list[Detection]:
    boxes = cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 5)
    found = []
    for x, y, width, height in np.reshape(boxes, (-1, 4)).tolist():
        face = cv2.cvtColor(image[y : y + height, x : x + width], cv2.COLOR_BGR2RGB)
        face = cv2.resize(face, (_SIDE, _SIDE)).astype(np.float32) / 127.5 - 1
        scores = model.predict(face[None], verbose=0)[0]
        names = ("mask", "improper_mask", "no_mask")
        found.append(Detection((x, y, width, height), dict(zip(names, scores.tolist(), strict=True))))
    return found


def nothing() -> Find:
    """Return what finds nobody; memory is kept as our node does, so that only the transport is measured."""
    keep_freed_memory()
    return lambda image: []


def _find_by(name: str, threads: int) -> Find:
    if name == "nothing":
        return nothing()
    return classic(threads) if name == "classic" else PeerDetector(Path(name), threads).find


class Recipe(Node):
    """Answers each image with what `find` finds in it."""

    def __init__(self, find: Find) -> None:
        super().__init__("mask_detector")
        self._find = find
        self._publisher = self.create_publisher(Detection2DArray, "~/detections", 10)
        newest_only = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.create_subscription(ImageMsg, "image", self._answer, newest_only)

    def _answer(self, message: ImageMsg) -> None:
        self._publisher.publish(to_detection_array(self._find(to_bgr(message)), message.header))


def main() -> None:
    """Run the recipe named first on the command line, with so many threads, until Ctrl-C."""
    name, threads, *arguments = sys.argv[1:]
    cv2.setNumThreads(int(threads))
    find = _find_by(name, int(threads))
    os.environ.update(transport_environment())
    rclpy.init(args=[sys.argv[0], *arguments])
    try:
        rclpy.spin(Recipe(find))
    except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
