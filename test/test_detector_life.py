"""How the detector node starts, is led through its life cycle, tells of silence, and ends."""

import contextlib
import signal
import sys
import time

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import Process, running
from lifecycle_msgs.msg import Transition
from rclpy import executors
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_srvs.srv import SetBool
from vision_msgs.msg import Detection2DArray

from mask_detector import node_main
from mask_detector.messages import to_compressed_image, to_image

NODE = "/mask_detector"
DETECTIONS = f"{NODE}/detections"
CHANGES = f"{NODE}/state_changes"
ANNOTATED = f"{NODE}/annotated_image"


def test_the_life_cycle_can_be_managed_by_others(probe, tmp_path, publisher, astronaut):
    with running("detector", "--ros-args", "-p", "autostart:=false", log=tmp_path / "log"):
        assert probe.state(NODE) == "unconfigured"
        assert probe.set_parameter(NODE, "face_detector", "haar").successful
        assert probe.change_state(NODE, Transition.TRANSITION_CONFIGURE) == [True]
        assert probe.state(NODE) == "inactive"
        assert probe.change_state(NODE, Transition.TRANSITION_ACTIVATE) == [True]
        assert probe.state(NODE) == "active"
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
        down = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
        assert probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=False)).success
        assert all(probe.change_state(NODE, *down)) and probe.state(NODE) == "unconfigured"
        assert probe.set_parameter(NODE, "face_detector", "yunet").successful
        up = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
        assert all(probe.change_state(NODE, *up))
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


def test_an_activation_that_fails_leaves_the_node_inactive_and_alive(probe, tmp_path):
    typo = "qos_overrides./image.subscription.reliability:=besteffort"
    options = ["--ros-args", "-p", "autostart:=false", "-p", typo]
    with running("detector", *options, log=tmp_path / "log") as detector:
        assert probe.change_state(NODE, Transition.TRANSITION_CONFIGURE) == [True]
        assert probe.change_state(NODE, Transition.TRANSITION_ACTIVATE) == [False]
        assert probe.state(NODE) == "inactive" and "besteffort" in detector.output

        def enable(on: bool) -> bool:
            return probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=on)).success

        assert enable(True) and enable(False)
        assert probe.change_state(NODE, Transition.TRANSITION_ACTIVATE) == [True]  # and paused
        assert not enable(True) and not enable(True)
        assert probe.state(NODE) == "active" and detector.alive()


@pytest.mark.parametrize(
    ("kind", "there", "transport", "told"),
    [
        (ImageMsg, "/front/image_raw", "raw", "; remap image to one of: /front/image_raw"),
        (CompressedImage, "/front/image/compressed", "compressed", "; remap image to one of: /front/image "),
        (CompressedImage, "/front/jpeg", "compressed", "; remap /image/compressed to one of: /front/jpeg"),
        (CompressedImage, "/front/image/compressed", "raw", "; set image_transport to compressed and remap"),
        (ImageMsg, "/front/image_raw", "compressed", "; set image_transport to raw and remap image to one"),
    ],
)
def test_silence_is_told_with_what_is_there_instead(probe, tmp_path, kind, there, transport, told):
    probe.node.create_publisher(kind, there, 1)
    options = ["--ros-args", "-p", f"image_transport:={transport}"]
    with running("detector", *options, log=tmp_path / "log") as detector:
        probe.until(lambda: "no image on /image" in detector.output, "the detector to say so")
        assert f"nobody publishes there{told}" in " ".join(detector.output.split()) + " "


def test_a_compressed_topic_of_any_name_can_be_remapped_to(probe, tmp_path, astronaut):
    names = ["-r", "image:=/camera/image", "-r", "/camera/image/compressed:=/front/jpeg"]
    options = ["--ros-args", "-p", "image_transport:=compressed", *names]
    publisher = probe.node.create_publisher(CompressedImage, "/front/jpeg", 1)
    with running("detector", *options, log=tmp_path / "log") as detector:
        message = to_compressed_image(astronaut, probe.header(), 90)
        assert probe.ask(publisher, message, DETECTIONS).detections
        assert "images from /front/jpeg," in detector.output
        random, size = np.random.default_rng(1), len(message.data)
        for at in random.integers(size // 2, size - 2, 9):  # as a bad cable does it
            message.data[at] = random.integers(0, 255)
        message.header = probe.header()
        probe.ask(publisher, message, DETECTIONS)
        assert "Corrupt" not in detector.output


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
        assert probe.state(NODE) == "active"
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


def test_a_signal_while_the_executor_is_made_leaves_no_trace(monkeypatch):
    def interrupted(**options) -> None:
        raise KeyboardInterrupt

    traces: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", traces.append)
    monkeypatch.setattr(executors, "GuardCondition", interrupted)
    with contextlib.suppress(KeyboardInterrupt):
        node_main._Executor()
    assert not traces
