"""The detector node: it translates between ROS and the core, and manages its own life cycle."""

import traceback
from collections.abc import Sequence
from dataclasses import fields
from functools import wraps

import cv2
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from vision_msgs.msg import Detection2DArray, LabelInfo, VisionInfo

from mask_detector.classifiers import RUNTIMES, make_classifier
from mask_detector.crops import Image
from mask_detector.drawing import draw_detections
from mask_detector.errors import MaskDetectorError
from mask_detector.face_detectors import FACE_DETECTORS, FaceSearch, make_face_detector
from mask_detector.image_conversion import JPEG_QUALITY
from mask_detector.image_input import TRANSPORTS, ImageInput
from mask_detector.image_output import ImageOutput
from mask_detector.messages import to_detection_array, to_label_info, to_vision_info
from mask_detector.model_store import load_manifest
from mask_detector.node_main import run_node
from mask_detector.parameters import Described, Parameters
from mask_detector.pipeline import MaskDetector

_SEARCH = FaceSearch()
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_RELIABLE = QoSProfile(depth=10)

PARAMETERS = (
    Described("autostart", True, "configure and activate at start, without a lifecycle manager"),
    Described("image_transport", TRANSPORTS[0], "how images arrive", choices=TRANSPORTS),
    Described("face_detector", FACE_DETECTORS[0], "which face detector; auto is the best that runs here",
              choices=FACE_DETECTORS),
    Described("face_model", "", "path of a YuNet file to use in place of the shipped one"),
    Described("classifier", "", "name of a classifier in models/manifest.json; empty for the default"),
    Described("runtime", RUNTIMES[0], "what runs the classifier; auto: litert if installed, else opencv",
              choices=RUNTIMES),
    Described("threads", 2, "processor cores that the models may use", low=1, high=64),
    Described("face_score_threshold", _SEARCH.score_threshold, "least score of a face", high=1, live=True),
    Described("face_nms_threshold", _SEARCH.nms_threshold, "overlap (IoU) from which two boxes are one face",
              high=1, live=True),
    Described("face_input_size", _SEARCH.input_size, "longest side in pixels at which images are searched",
              low=64, high=4096, live=True),
    Described("face_min_size", _SEARCH.min_size, "shorter side of the smallest face, pixels of the image",
              low=1, high=4096, live=True),
    Described("face_max_size", _SEARCH.max_size, "longer side of the largest face, pixels; 0 for no limit",
              high=16384, live=True),
    Described("jpeg_quality", JPEG_QUALITY, "quality of the compressed annotated image, percent",
              low=1, high=100, live=True),
)  # fmt: skip


def _told(transition):
    """Log why a transition fails: rclpy itself drops what a transition raises."""

    @wraps(transition)
    def wrapped(self: "DetectorNode", state: LifecycleState) -> TransitionCallbackReturn:
        try:
            transition(self, state)
            return TransitionCallbackReturn.SUCCESS
        except MaskDetectorError as error:
            self.get_logger().fatal(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception:
            self.get_logger().fatal(f"unexpected failure:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR

    return wrapped


class DetectorNode(LifecycleNode):
    """Takes images, publishes Detection2DArray and annotated images; see the README for its interface."""

    def __init__(self, **options) -> None:
        super().__init__("mask_detector", **options)
        self._detector: MaskDetector | None = None
        self._active = False
        self._enabled = True
        self._failures = 0
        self._settings = Parameters(self, PARAMETERS, lambda: self._detector is not None)
        self.add_post_set_parameters_callback(self._apply)
        self.create_service(SetBool, "~/enable", self._enable)
        if self._settings["autostart"]:
            self._start()

    def _start(self) -> None:
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != TransitionCallbackReturn.SUCCESS:
                raise MaskDetectorError("the node could not start; the reason is above")

    @_told
    def on_configure(self, state: LifecycleState) -> None:
        """Load the models and create the publishers."""
        cv2.setNumThreads(self._settings["threads"])
        self._detector = self._load()
        overriding = QoSOverridingOptions.with_default_policies()
        self._detections = self.create_publisher(
            Detection2DArray, "~/detections", _RELIABLE, qos_overriding_options=overriding
        )
        self._annotated = ImageOutput(self, "~/annotated_image")
        self._label_info = self.create_publisher(LabelInfo, "~/label_info", _LATCHED)
        self._vision_info = self.create_publisher(VisionInfo, "~/vision_info", _LATCHED)
        self._input = ImageInput(self, self._settings["image_transport"], self._on_image)

    @_told
    def on_activate(self, state: LifecycleState) -> None:
        """Announce the classes and begin to take images."""
        header = Header(stamp=self.get_clock().now().to_msg())
        method = self._method()
        self._label_info.publish(to_label_info(load_manifest(), header))
        self._vision_info.publish(to_vision_info(method, load_manifest(), header))
        self._active = True
        self._follow_state()
        self.get_logger().info(
            f"{method}: images from {self._input.topic}, detections on {self._detections.topic_name}, "
            f"annotated images on {self._annotated.topic}"
        )

    @_told
    def on_deactivate(self, state: LifecycleState) -> None:
        """Take no more images."""
        self._active = False
        self._follow_state()

    @_told
    def on_cleanup(self, state: LifecycleState) -> None:
        """Drop the models and the publishers."""
        self._release()

    @_told
    def on_shutdown(self, state: LifecycleState) -> None:
        """Stop from any state."""
        self._release()

    @_told
    def on_error(self, state: LifecycleState) -> None:
        """Fall back to unconfigured after an unexpected failure."""
        self._release()

    def _release(self) -> None:
        if self._detector is None:
            return
        self._active = False
        self._input.stop()
        self._annotated.destroy()
        for publisher in (self._detections, self._label_info, self._vision_info):
            self.destroy_publisher(publisher)
        self._detector = None

    def _load(self) -> MaskDetector:
        values = self._settings
        faces = make_face_detector(values["face_detector"], values["face_model"], self._search())
        return MaskDetector(
            faces, make_classifier(values["classifier"], values["runtime"], values["threads"])
        )

    def _search(self) -> FaceSearch:
        return FaceSearch(
            **{field.name: self._settings[f"face_{field.name}"] for field in fields(FaceSearch)}
        )

    def _method(self) -> str:
        classifier = self._detector.classifier
        return f"{self._detector.face_detector.name} + {classifier.info.name} ({classifier.runtime})"

    def _apply(self, changes: Sequence[Parameter]) -> None:
        """Let live parameters take effect from the next frame on."""
        if self._detector:
            self._detector.face_detector.search = self._search()

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Pause or resume; a paused node keeps its models and receives nothing."""
        self._enabled = request.data
        if self._active:
            self._follow_state()
        response.success = True
        response.message = "enabled" if self._enabled else "paused"
        return response

    def _follow_state(self) -> None:
        """Receive images while the node is active and enabled, and only then."""
        if self._active and self._enabled:
            self._input.start()
        else:
            self._input.stop()

    def _on_image(self, image: Image, header: Header) -> None:
        try:
            detections = self._detector.detect(image)
        except Exception:  # one strange frame may not end a robot's sight
            self._failures += 1
            self.get_logger().error(
                f"frame of {image.shape[1]}x{image.shape[0]} left out, {self._failures} so far:\n"
                f"{traceback.format_exc()}",
                throttle_duration_sec=60.0,
            )
            return
        self._detections.publish(to_detection_array(detections, header))
        if self._annotated.wanted:
            drawn = draw_detections(image, detections)
            self._annotated.publish(drawn, header, self._settings["jpeg_quality"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(DetectorNode, arguments)
