"""The detector node: it translates between ROS and the core, and manages its own life cycle."""

import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from functools import wraps

import cv2
from rclpy.exceptions import ParameterException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from vision_msgs.msg import LabelInfo, VisionInfo

from mask_detector.blurring import blur_faces
from mask_detector.classifiers import make_classifier
from mask_detector.crops import Image
from mask_detector.detection_output import DetectionOutput
from mask_detector.detector_parameters import PARAMETERS, contradiction, face_search, following
from mask_detector.diagnostics import FINALIZED, NOT_ACTIVE, PAUSED, Diagnostics
from mask_detector.drawing import draw_detections
from mask_detector.errors import MaskDetectorError
from mask_detector.face_detectors import make_face_detector
from mask_detector.follow import People, Seen, VideoDetector
from mask_detector.frame_time import FrameTime
from mask_detector.health import SILENCE
from mask_detector.image_input import ImageInput
from mask_detector.image_output import ImageOutput
from mask_detector.messages import to_label_info, to_vision_info
from mask_detector.model_store import load_manifest
from mask_detector.namesake import NamesakeWatch
from mask_detector.node_main import run_node
from mask_detector.parameters import Parameters
from mask_detector.pipeline import MaskDetector
from mask_detector.ros4hri import FaceTopics

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def _told(transition):
    """Log why a transition fails: rclpy itself drops what a transition raises."""

    @wraps(transition)
    def wrapped(self: "DetectorNode", state: LifecycleState) -> TransitionCallbackReturn:
        try:
            transition(self, state)
            return TransitionCallbackReturn.SUCCESS
        except (MaskDetectorError, RuntimeError) as error:  # rclpy's own are RuntimeErrors
            if self.context.ok():  # else a signal has shut ROS down meanwhile
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
        self._resources = ExitStack()  # what configuring made and cleaning up destroys
        self._diagnostics = Diagnostics(self)
        self._namesakes = NamesakeWatch(self)
        self._people = People(load_manifest().class_ids)  # for the node's life: ids never come back
        self._time_of = FrameTime(self.get_logger().warning)
        self._settings = Parameters(self, PARAMETERS, lambda: self._detector is not None, contradiction)
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
        detector = self._load()
        self._people.following = following(self._settings)
        with ExitStack() as made:  # destroyed at once if one of them fails
            self._output = DetectionOutput(self)
            made.callback(self._output.destroy)
            self._faces = FaceTopics(self) if self._settings["ros4hri"] else None
            if self._faces:
                made.callback(self._faces.destroy)
            self._annotated = ImageOutput(self, "~/annotated_image")
            made.callback(self._annotated.destroy)
            self._label_info = self.create_publisher(LabelInfo, "~/label_info", _LATCHED)
            made.callback(self.destroy_publisher, self._label_info)
            self._vision_info = self.create_publisher(VisionInfo, "~/vision_info", _LATCHED)
            made.callback(self.destroy_publisher, self._vision_info)
            self._input = ImageInput(
                self, self._settings["image_transport"], self._on_image, self._on_silence
            )
            self._resources = made.pop_all()
        self._detector, self._video = detector, VideoDetector(detector, self._people)
        self._diagnostics.watch(self._input)

    @_told
    def on_activate(self, state: LifecycleState) -> None:
        """Announce the classes and begin to take images."""
        header = Header(stamp=self.get_clock().now().to_msg())
        method = self._method()
        self._label_info.publish(to_label_info(load_manifest(), header))
        self._vision_info.publish(to_vision_info(method, load_manifest(), header))
        self._active = True
        try:
            self._receive_or_rest()
        except Exception:
            self._active = False
            self._receive_or_rest()
            raise
        self.get_logger().info(
            f"{method}: images from {self._input.topic}, detections on {self._output.topic}, "
            f"annotated images on {self._annotated.topic}"
        )

    @_told
    def on_deactivate(self, state: LifecycleState) -> None:
        """Take no more images."""
        self._active = False
        self._receive_or_rest()

    @_told
    def on_cleanup(self, state: LifecycleState) -> None:
        """Drop the models and the publishers; a pause ends with them."""
        self._release()
        self._enabled = True

    @_told
    def on_shutdown(self, state: LifecycleState) -> None:
        """Stop from any state."""
        self._release()
        self._diagnostics.idle = FINALIZED

    @_told
    def on_error(self, state: LifecycleState) -> None:
        """Fall back to unconfigured after an unexpected failure."""
        self._release()

    def _release(self) -> None:
        if self._active:
            self._active = False
            self._receive_or_rest()
        self._detector = self._video = None
        self._diagnostics.watch(None)
        self._resources.close()

    def _load(self) -> MaskDetector:
        values = self._settings
        faces = make_face_detector(
            values["face_detector"], values["face_model"], face_search(values), values["threads"]
        )
        return MaskDetector(
            faces, make_classifier(values["classifier"], values["runtime"], values["threads"])
        )

    def _method(self) -> str:
        classifier = self._detector.classifier
        return f"{self._detector.face_detector.name} + {classifier.info.name} ({classifier.runtime})"

    def _apply(self, changes: Sequence[Parameter]) -> None:
        """Let live parameters take effect from the next frame on."""
        self._people.following = following(self._settings)
        if self._detector:
            self._detector.face_detector.search = face_search(self._settings)

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Pause or resume; a paused node keeps its models and receives nothing."""
        self._enabled = request.data
        try:
            if self._active:
                self._receive_or_rest()
        except (RuntimeError, ParameterException) as error:  # a quality of service that does not exist
            self._enabled = False
            self._receive_or_rest()
            response.success, response.message = False, str(error)
            return response
        response.success = True
        response.message = "enabled" if self._enabled else "paused"
        return response

    def _on_silence(self, seconds: float) -> None:
        """Let everybody leave who has been out of sight for too long because no image came.

        Simulated time may stand still meanwhile: there silence tells nothing.
        """
        simulated = self.get_clock().ros_time_is_active
        if self._people.ids and not simulated and seconds >= max(SILENCE, self._people.following.patience):
            self._let_everybody_leave()

    def _receive_or_rest(self) -> None:
        """Receive images while the node is active and enabled, and only then."""
        if self._active and self._enabled:
            self._diagnostics.idle = ""
            self._input.start()
            return
        self._diagnostics.idle = PAUSED if self._active else NOT_ACTIVE
        self._input.stop()
        self._let_everybody_leave()

    def _let_everybody_leave(self) -> None:
        self._output.tell(self._people.forget())
        if self._faces:
            self._faces.forget()

    def _on_image(self, image: Image, header: Header) -> None:
        time = self._time_of(header)
        try:
            seen = self._video.see(image, time)
            # First of all: a behaviour waits for them.
            self._output.publish(seen.raw if self._settings["raw_scores"] else seen.people, header)
            self._output.tell(self._people.learn(seen.people, time))
        except Exception as error:  # one strange frame may not end a robot's sight
            self._leave_out(image, error)
            return
        if self._faces:
            self._faces.publish(self._people.ids, seen.people, image.shape[1::-1], header)
        self._diagnostics.processed()
        if self._annotated.wanted:  # last: detections wait for no picture
            self._show(image, seen, header)

    def _show(self, image: Image, seen: Seen, header: Header) -> None:
        try:
            self._annotated.publish(self._draw(image, seen), header, self._settings["jpeg_quality"])
        except Exception as error:  # a picture that no JPEG can hold, too
            self._leave_out(image, error)

    def _leave_out(self, image: Image, error: Exception) -> None:
        """Count and tell what is wrong with a frame; raise it on where a signal has shut ROS down."""
        if not self.context.ok():
            raise error
        expected = isinstance(error, MaskDetectorError)
        self.get_logger().error(
            f"frame of {image.shape[1]}x{image.shape[0]} left out, {self._diagnostics.failed()} so far: "
            + (str(error) if expected else f"\n{traceback.format_exc()}"),
            throttle_duration_sec=60.0,
        )

    def _draw(self, image: Image, seen: Seen) -> Image:
        if self._settings["blur_faces"]:
            image = blur_faces(image, seen.boxes)
        return draw_detections(image, seen.people)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run_node(DetectorNode, arguments)
