"""The detector node as others see it: in its own process, over real DDS, with real models."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import LATCHED, Probe, Process, running
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_srvs.srv import SetBool
from vision_msgs.msg import Detection2DArray, LabelInfo, VisionInfo

from mask_detector.detector_node import PARAMETERS
from mask_detector.image_conversion import compressed_to_bgr, to_bgr
from mask_detector.messages import to_compressed_image, to_image
from mask_detector.model_store import load_manifest
from mask_detector.runtimes import fastest

NODE = "/mask_detector"
DETECTIONS = f"{NODE}/detections"
CHANGES = f"{NODE}/state_changes"
ANNOTATED = f"{NODE}/annotated_image"


@pytest.fixture
def probe() -> Iterator[Probe]:
    with Probe() as probe:
        probe.subscribe(Detection2DArray, DETECTIONS)
        yield probe


@pytest.fixture
def detector(tmp_path: Path) -> Iterator[Process]:
    with running("detector", log=tmp_path / "detector.log") as process:
        yield process


@pytest.fixture
def publisher(probe: Probe):
    return probe.node.create_publisher(ImageMsg, "/image", 1)


def state(probe: Probe) -> str:
    return probe.call(GetState, f"{NODE}/get_state", GetState.Request()).current_state.label


def change_state(probe: Probe, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    return probe.call(ChangeState, f"{NODE}/change_state", request).success


def test_a_face_is_published_with_the_image_s_header(probe, detector, publisher, astronaut):
    header = probe.header()
    array = probe.ask(publisher, to_image(astronaut, header), DETECTIONS)
    (detection,) = array.detections
    assert array.header == detection.header == header

    box = detection.bbox
    assert (box.center.position.x, box.center.position.y) == pytest.approx((223, 119), abs=12)
    assert (box.size_x, box.size_y) == pytest.approx((90, 113), abs=20)

    hypotheses = [result.hypothesis for result in detection.results]
    scores = [hypothesis.score for hypothesis in hypotheses]
    assert {hypothesis.class_id for hypothesis in hypotheses} == set(load_manifest().class_ids)
    assert hypotheses[0].class_id == "no_mask"
    assert scores == sorted(scores, reverse=True) and sum(scores) == pytest.approx(1, abs=1e-3)


def test_an_image_without_people_gives_an_empty_array(probe, detector, publisher):
    header = probe.header()
    array = probe.ask(publisher, to_image(np.full((120, 160, 3), 128, np.uint8), header), DETECTIONS)
    assert array.header == header and array.detections == []


def test_boxes_lie_in_pixels_of_the_input_whatever_its_shape(probe, detector, publisher, astronaut):
    wide = np.zeros((600, 2400, 3), np.uint8)
    wide[50:562, 1800:2312] = astronaut
    (detection,) = probe.ask(publisher, to_image(wide, probe.header()), DETECTIONS).detections
    centre = detection.bbox.center.position
    assert (centre.x, centre.y) == pytest.approx((1800 + 223, 50 + 119), abs=15)


def test_compressed_images_come_from_below_the_remapped_topic(probe, tmp_path, astronaut):
    arguments = ["--ros-args", "-p", "image_transport:=compressed", "-r", "image:=/camera/image_raw"]
    publisher = probe.node.create_publisher(CompressedImage, "/camera/image_raw/compressed", 1)
    with running("detector", *arguments, log=tmp_path / "log"):
        header = probe.header()
        array = probe.ask(publisher, to_compressed_image(astronaut, header, 95), DETECTIONS)
        assert array.header == header and len(array.detections) == 1


def test_the_annotated_image_is_made_only_for_subscribers(probe, detector, publisher, astronaut):
    probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS)
    probe.subscribe(ImageMsg, ANNOTATED)
    probe.subscribe(CompressedImage, f"{ANNOTATED}/compressed")
    probe.until(lambda: probe.node.count_publishers(ANNOTATED), "the publisher")
    header = probe.header()
    raw = probe.ask(publisher, to_image(astronaut, header), ANNOTATED)
    drawn = to_bgr(raw)
    assert raw.header == header and drawn.shape == astronaut.shape
    assert (drawn != astronaut).any(axis=2).mean() > 0.005, "something is drawn"
    assert (drawn == astronaut).all(axis=2).mean() > 0.8, "and the rest is as it was"

    compressed = probe.ask(publisher, to_image(astronaut, probe.header()), f"{ANNOTATED}/compressed")
    assert compressed_to_bgr(compressed.data).shape == astronaut.shape
    assert compressed.format.startswith("bgr8; jpeg")


def test_who_comes_late_still_learns_the_classes(probe, detector):
    probe.until(lambda: state(probe) == "active", "the node to be active")
    probe.subscribe(LabelInfo, f"{NODE}/label_info", LATCHED)
    probe.subscribe(VisionInfo, f"{NODE}/vision_info", LATCHED)
    (labels,) = probe.until(lambda: probe.received[f"{NODE}/label_info"], "label_info")
    assert [entry.class_name for entry in labels.class_map] == list(load_manifest().class_ids)
    (info,) = probe.until(lambda: probe.received[f"{NODE}/vision_info"], "vision_info")
    assert info.method.endswith(f"({fastest(load_manifest().classifier().files)})")
    assert Path(info.database_location).is_file()


def test_a_paused_node_says_nothing_and_resumes(probe, detector, publisher, astronaut):
    image = to_image(astronaut, probe.header())
    probe.ask(publisher, image, DETECTIONS)
    assert probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=False)).success
    probe.received[DETECTIONS].clear()
    for _ in range(10):
        publisher.publish(image)
        probe.spin(0.05)
    assert probe.received[DETECTIONS] == []
    assert probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=True)).success
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections


def test_thresholds_change_while_it_runs(probe, detector, publisher, astronaut):
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
    assert probe.set_parameter(NODE, "face_min_size", 200).successful
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections == []
    assert probe.set_parameter(NODE, "face_min_size", 50).successful
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("face_score_threshold", 1.5, "out of range"),
        ("face_score_threshold", "high", "Wrong parameter type, expected 'Type.DOUBLE'"),
        ("face_input_size", 0, "out of range"),
        ("runtime", "keras", "deactivate and clean it up first"),
        ("face_detector", "eyes", "must be one of: auto, masked_yunet, yunet, haar"),
    ],
)
def test_a_bad_value_is_refused_with_the_reason(probe, detector, name, value, reason):
    probe.until(lambda: state(probe) == "active", "the node to be active")
    result = probe.set_parameter(NODE, name, value)
    assert not result.successful and reason in result.reason


def test_every_parameter_explains_itself(probe, detector):
    names = [entry.name for entry in PARAMETERS]
    assert probe.get_parameters(NODE, names) == [entry.default for entry in PARAMETERS]
    for entry, descriptor in zip(PARAMETERS, probe.describe_parameters(NODE, names), strict=True):
        assert descriptor.description == entry.description
        number = isinstance(entry.default, (int, float)) and not isinstance(entry.default, bool)
        assert bool(descriptor.integer_range or descriptor.floating_point_range) == number


def test_a_malformed_image_is_told_once_and_the_next_one_counts(probe, detector, publisher, astronaut):
    probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS)
    short = to_image(astronaut, probe.header())
    short.data = short.data[:1000]
    strange = to_image(astronaut, probe.header())
    strange.encoding = "jellyfish"
    for _ in range(5):
        for broken in (short, strange):
            publisher.publish(broken)
            probe.spin(0.05)
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
    told = [line for line in detector.output.splitlines() if "left out" in line]
    assert len(told) == 1 and "1000 bytes of data" in told[0]


def test_the_life_cycle_can_be_managed_by_others(probe, tmp_path, publisher, astronaut):
    with running("detector", "--ros-args", "-p", "autostart:=false", log=tmp_path / "log"):
        assert state(probe) == "unconfigured"
        assert probe.set_parameter(NODE, "face_detector", "haar").successful
        assert change_state(probe, Transition.TRANSITION_CONFIGURE) and state(probe) == "inactive"
        assert change_state(probe, Transition.TRANSITION_ACTIVATE) and state(probe) == "active"
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
        assert change_state(probe, Transition.TRANSITION_DEACTIVATE)
        assert change_state(probe, Transition.TRANSITION_CLEANUP) and state(probe) == "unconfigured"
        assert probe.set_parameter(NODE, "face_detector", "yunet").successful
        assert change_state(probe, Transition.TRANSITION_CONFIGURE)
        assert change_state(probe, Transition.TRANSITION_ACTIVATE)
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_code_0_and_without_a_trace(probe, detector, publisher, astronaut, end):
    probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS)
    assert detector.stop(end) == 0
    assert "Traceback" not in detector.output and "rror" not in detector.output


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ("classifier:=nothing", "no model 'nothing'"),
        ("face_model:=/nowhere/yunet.onnx", "/nowhere/yunet.onnx is missing"),
        ("face_detector:=eyes", "must be one of"),
        ("threads:=0", "out of range"),
        (f"qos_overrides.{DETECTIONS}.publisher.reliability:=some", "Unexpected QoS override"),
    ],
)
def test_what_cannot_start_says_why_and_ends_with_code_1(tmp_path, parameter, told):
    process = Process(["detector", "--ros-args", "-p", parameter], tmp_path / "log")
    assert process.wait() == 1
    assert told in process.output and "Traceback" not in process.output


def test_silence_is_told_with_what_is_there_instead(probe, tmp_path, astronaut):
    publisher = probe.node.create_publisher(ImageMsg, "/front/image_raw", 1)
    with running("detector", log=tmp_path / "log") as detector:
        end = time.monotonic() + 30
        while "no image on /image" not in detector.output and time.monotonic() < end:
            publisher.publish(to_image(astronaut, probe.header()))
            probe.spin(0.1)
        assert "nobody publishes there; remap image to one of: /front/image_raw" in detector.output


@pytest.mark.parametrize(
    ("kind", "told"),
    [(ImageMsg, "/probe publishes there, but is silent"), (CompressedImage, "see parameter image_transport")],
)
def test_a_publisher_that_sends_nothing_usable_is_named(probe, tmp_path, kind, told):
    probe.node.create_publisher(kind, "/image", 1)
    with running("detector", log=tmp_path / "log") as detector:
        probe.until(lambda: "no image on /image" in detector.output, "the detector to say so")
        assert told in detector.output


def test_a_publisher_s_quality_of_service_can_be_overridden(probe, tmp_path, publisher, astronaut):
    name = f"qos_overrides.{DETECTIONS}.publisher.reliability:=best_effort"
    with running("detector", "--ros-args", "-p", name, log=tmp_path / "log"):
        reliable = probe.received[DETECTIONS]
        best_effort: list[Detection2DArray] = []
        qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
        probe.node.create_subscription(Detection2DArray, DETECTIONS, best_effort.append, qos)

        def arrived() -> bool:
            publisher.publish(to_image(astronaut, probe.header()))
            probe.spin(0.1)
            return bool(best_effort)

        probe.subscribe(Detection2DArray, CHANGES)
        probe.until(arrived, "a best effort message")
        probe.until(lambda: arrived() and probe.received[CHANGES], "the state: other topics stay reliable")
        assert reliable == [], "a reliable subscriber does not match a best effort publisher"


@pytest.mark.parametrize(
    ("arguments", "code", "told"), [(["--help"], 0, "-p PARAMETER:="), (["--foo"], 2, "'--foo'")]
)
def test_arguments_are_explained(tmp_path, arguments, code, told):
    process = Process(["detector", *arguments], tmp_path / "log")
    assert process.wait() == code and told in process.output


def test_a_misspelt_parameter_is_told_and_those_of_others_are_not(probe, tmp_path):
    given = ["face_treshold:=0.5", "face_score_treshold:=0.5", "frame_id:=front", "use_sim_time:=true"]
    arguments = [argument for one in given for argument in ("-p", one)]
    with running("detector", "--ros-args", *arguments, log=tmp_path / "log") as detector:
        assert state(probe) == "active"
        warned = [line for line in detector.output.splitlines() if "there is no parameter" in line]
    assert len(warned) == 2
    assert "'face_score_treshold', it is ignored: did you mean face_score_threshold?" in warned[1]


def test_simulated_time_drives_what_the_node_stamps_itself(probe, tmp_path, publisher, astronaut):
    """A bag that is played slowly: /clock and the stamps creep, the node does its work all the same."""
    clock = probe.node.create_publisher(Clock, "/clock", 10)
    probe.subscribe(DiagnosticArray, "/diagnostics")
    probe.subscribe(Detection2DArray, CHANGES)
    with running("detector", "--ros-args", "-p", "use_sim_time:=true", log=tmp_path / "log"):
        for step in range(8):
            header = probe.header()
            header.stamp.sec, header.stamp.nanosec = 5000, step * 100_000_000
            clock.publish(Clock(clock=header.stamp))
            probe.ask(publisher, to_image(astronaut, header), DETECTIONS)
        (change,) = probe.until(lambda: probe.received[CHANGES], "the state, by the stamps of the images")
        assert change.header.stamp.sec == 5000 and change.detections[0].id == "1"
        told = probe.received["/diagnostics"]
        probe.until(
            lambda: (
                clock.publish(Clock(clock=header.stamp)) or told and told[-1].header.stamp == header.stamp
            ),
            "diagnostics stamped by /clock",
        )
        assert all(one.level != DiagnosticStatus.ERROR for one in told[-1].status)


def test_signals_on_the_way_out_do_no_harm(probe, detector, publisher, astronaut):
    """As ros2 launch sends them to a node that takes long to end."""
    probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS)
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        detector.send(number)
        time.sleep(0.2)
    assert detector.stop() == 0
    assert "Traceback" not in detector.output
