"""What befalls the processes around the node, and the node itself: it goes on, and says what is wrong."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from graph import Process, running
from lifecycle_msgs.msg import Transition
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image as ImageMsg
from std_srvs.srv import SetBool
from test_launch import launch, needs_launch

from mask_detector.messages import to_image
from mask_detector.model_store import load_manifest
from mask_detector.namesake import NamesakeWatch
from mask_detector.runtimes import fastest

REPOSITORY = Path(__file__).resolve().parents[1]
NODE = "/mask_detector"
DETECTIONS = f"{NODE}/detections"
PICTURE = REPOSITORY / "mask_detector" / "data" / "astronaut.jpg"


def test_a_camera_that_is_killed_and_started_again(probe, tmp_path):
    camera = [
        "camera",
        "--ros-args",
        "-p",
        f"source:={PICTURE}",
        "-p",
        "rate:=20.0",
        "-r",
        "image_raw:=/image",
    ]
    detector = Process(["detector"], tmp_path / "detector.log")
    for number in range(2):
        process = Process(camera, tmp_path / f"camera{number}.log")
        probe.received[DETECTIONS].clear()
        probe.until(lambda: len(probe.received[DETECTIONS]) > 5, "detections")
        process.stop(signal.SIGKILL)
        probe.spin(0.5)
    assert detector.alive() and "rror" not in detector.output
    assert detector.stop() == 0, detector.output


def test_a_publisher_whose_quality_of_service_does_not_fit_is_told_once(probe, tmp_path, astronaut):
    override = "qos_overrides./image.subscription.reliability:=reliable"
    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    unfit = probe.node.create_publisher(ImageMsg, "/image", best_effort)
    with running("detector", "--ros-args", "-p", override, log=tmp_path / "log") as detector:
        probe.until(lambda: "another quality of service" in detector.output, "the detector to say so")
        unfit.publish(to_image(astronaut, probe.header()))
        fit = probe.node.create_publisher(ImageMsg, "/image", 1)
        assert probe.ask(fit, to_image(astronaut, probe.header()), DETECTIONS).detections
        assert detector.output.count("another quality of service") == 1


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"rubbish"), lambda path: path.unlink()])
def test_a_model_that_is_spoiled_while_it_runs(probe, publisher, astronaut, tmp_path, spoil):
    """The node is that of a copy of the package, whose models may be spoiled."""
    for folder in ("mask_detector", "models", "config"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    files = load_manifest().classifier().files
    shipped = files[fastest(files)].path
    command = [sys.executable, "-m", "mask_detector", "detector"]
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=subprocess.STDOUT)
    try:
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
        model = tmp_path / "models" / shipped.name
        spoil(model)
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections, (
            "it is loaded"
        )
        down = Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP
        up = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
        assert all(probe.change_state(NODE, *down))
        assert probe.change_state(NODE, Transition.TRANSITION_CONFIGURE) == [False]
        assert probe.state(NODE) == "unconfigured" and process.poll() is None
        assert f"model file {model}" in log.read_text() and "Traceback" not in log.read_text()
        shutil.copy(shipped, model)
        assert all(probe.change_state(NODE, *up))
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_simulated_time_may_jump_and_stand_still(probe, publisher, astronaut, tmp_path):
    clock = probe.node.create_publisher(Clock, "/clock", 10)
    with running("detector", "--ros-args", "-p", "use_sim_time:=true", log=tmp_path / "log") as detector:
        for seconds in (0, 1_000, 10, 2_000_000_000, 5):
            message = Clock()
            message.clock.sec = seconds
            for _ in range(3):
                clock.publish(message)
                probe.spin(0.05)
            assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
        assert "WARN" not in detector.output and "ERROR" not in detector.output


def test_thousands_of_parameter_changes_while_it_runs(probe, publisher, astronaut, tmp_path):
    with running("detector", log=tmp_path / "log") as detector:
        probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS)
        client = probe.node.create_client(SetParameters, f"{NODE}/set_parameters")
        probe.until(client.service_is_ready, "the service")
        image, futures = to_image(astronaut, probe.header()), []
        for number in range(100):
            changes = [
                Parameter("face_score_threshold", value=0.5 + number % 5 / 10),
                Parameter("follow_patience", value=1.0 + number % 3),
                Parameter("face_min_size", value=-1 if number % 10 == 0 else 16),
                Parameter("raw_scores", value=bool(number % 2)),
            ] * 5
            request = SetParameters.Request(parameters=[one.to_parameter_msg() for one in changes])
            futures.append(client.call_async(request))
            publisher.publish(image)
            # A service keeps ten requests: on a busy machine more than that at once would be lost.
            probe.until(lambda: sum(not future.done() for future in futures) < 5, "responses")
        probe.until(lambda: all(future.done() for future in futures), "all responses")
        results = [result.successful for future in futures for result in future.result().results]
        assert len(results) == 2000 and results.count(False) == 50
        assert probe.set_parameter(NODE, "face_score_threshold", 0.6).successful
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
        assert detector.alive()


def test_pausing_and_configuring_again_and_again(probe, publisher, astronaut, tmp_path):
    with running("detector", log=tmp_path / "log") as detector:
        for number in range(10):
            assert probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=bool(number % 2))).success
        around = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
        around += (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
        assert all(probe.change_state(NODE, *around, *around))
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
        assert "rror" not in detector.output


def test_a_node_that_was_killed_is_replaced_by_another(probe, publisher, astronaut, tmp_path):
    first = Process(["detector"], tmp_path / "first.log")
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
    first.stop(signal.SIGKILL)
    with running("detector", log=tmp_path / "second.log") as second:
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
        assert "another node" not in second.output


@needs_launch
def test_launch_starts_a_killed_detector_again(probe, installed, tmp_path):
    command = launch(f"source:={PICTURE}", "respawn:=true")
    with installed.running(*command, log=tmp_path / "launch.log") as launched:
        probe.until(lambda: probe.received[DETECTIONS], "detections")
        started = re.compile(r"\[detector-1\]: process started with pid \[(\d+)\]")
        (number,) = started.findall(launched.output)
        os.kill(int(number), signal.SIGKILL)
        probe.until(lambda: len(started.findall(launched.output)) == 2, "another start")
        probe.received[DETECTIONS].clear()
        probe.until(lambda: probe.received[DETECTIONS], "detections again")


def test_a_second_node_of_the_same_name_is_told_once(probe, capfd):
    NamesakeWatch(probe.node, period=0.1, patience=0.3)
    probe.spin(0.6)
    assert "another node" not in capfd.readouterr().err
    second = Node("probe")
    probe.spin(2.0)
    assert capfd.readouterr().err.count("there is another node /probe") == 1
    second.destroy_node()
    time.sleep(0.1)


def test_a_node_whose_log_cannot_be_written_works(probe, publisher, astronaut, tmp_path, monkeypatch):
    monkeypatch.setenv("ROS_LOG_DIR", "/proc/log")
    with running("detector", log=tmp_path / "log") as detector:
        assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
        assert detector.output.count("no log in /proc/log (No such file or directory)") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["annotate", str(PICTURE), "--json", "/dev/full"],
        ["annotate", str(PICTURE), "--out", "/proc/annotated"],
        ["demo", str(PICTURE), "--out", "/proc/demo"],
        ["demo", str(PICTURE), "--out", "/dev/full/demo"],
    ],
)
def test_where_nothing_can_be_written_it_says_so_in_a_line(arguments, tmp_path):
    process = Process(arguments, tmp_path / "log")
    assert process.wait(60) != 0
    last = process.output.strip().splitlines()[-1]
    assert arguments[-1] in last and "Traceback" not in process.output, process.output
