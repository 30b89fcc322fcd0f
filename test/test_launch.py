"""The launch file, started by the real `ros2 launch` where there is one."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, STDOUT
from urllib.request import urlopen

import pytest
import yaml
from graph import Probe
from installation import Installed, ros_packages
from vision_msgs.msg import Detection2DArray

from mask_detector.detector_node import PARAMETERS

REPOSITORY = Path(__file__).resolve().parents[1]
LAUNCH_FILE = REPOSITORY / "launch" / "detect.launch.py"
LAUNCH_FILES = sorted((REPOSITORY / "launch").glob("*.launch.py"))
PICTURE = REPOSITORY / "mask_detector" / "data" / "astronaut.jpg"

# Not `launch`: the folder of that name in this repository passes for a package.
needs_launch = pytest.mark.skipif(
    not (find_spec("launch_ros") and shutil.which("ros2")),
    reason="ros2 launch is not installed; as there are no wheels of it, this runs on a ROS 2 machine only",
)


needs_launch_testing = pytest.mark.skipif(
    not find_spec("launch_testing"), reason="launch_testing is not installed; there are no wheels of it"
)
LAUNCH_TESTS = sorted((REPOSITORY / "test" / "launched").glob("*.py"))


def test_the_launch_file_offers_the_detector_s_own_choices():
    assignments = [node for node in ast.parse(LAUNCH_FILE.read_text()).body if isinstance(node, ast.Assign)]
    (offered,) = (node.value for node in assignments if node.targets[0].id == "_OF_DETECTOR")
    choices = {entry.name: ["", *entry.choices] if entry.choices else None for entry in PARAMETERS}
    for name, offer in ast.literal_eval(offered).items():
        assert offer == choices[name], name


@pytest.mark.parametrize("file", LAUNCH_FILES, ids=lambda path: path.name)
def test_a_launch_file_imports_no_opencv(file):
    """Pip's OpenCV points Qt to its own plugins, by variables that rviz2 would inherit."""
    imports = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.ImportFrom)]
    own = [node.module for node in imports if node.module.startswith("mask_detector")]
    code = f"import sys, {', '.join(own)}; sys.exit('cv2' in sys.modules)"
    assert own and subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0


def launch(*arguments: str, file: str = "detect.launch.py") -> list[str]:
    return [shutil.which("ros2"), "launch", "mask_detector", file, *arguments]


def outcome(installed: Installed, *arguments: str, file: str = "detect.launch.py") -> tuple[int, str]:
    """Run a launch that ends by itself; return its exit code and what it said."""
    done = subprocess.run(
        launch(*arguments, file=file),
        env=installed.environment,
        stdout=PIPE,
        stderr=STDOUT,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


@needs_launch
def test_it_finds_faces_in_a_source_and_ends_cleanly(installed, tmp_path):
    command = launch(f"source:={PICTURE}", "namespace:=left", "image:=front/image_raw")
    topic = "/left/mask_detector/detections"
    with Probe() as probe, installed.running(*command, log=tmp_path / "launch.log") as launched:
        probe.subscribe(Detection2DArray, topic)
        probe.until(lambda: any(array.detections for array in probe.received[topic]), "a detection")
        assert probe.node.count_publishers("/left/front/image_raw") == 1
        assert launched.stop() == 0
    assert launched.output.count("process has finished cleanly") == 2, launched.output
    assert "Traceback" not in launched.output, launched.output


@needs_launch
def test_a_page_is_served_and_faces_are_blurred_where_that_is_wished(installed, tmp_path):
    command = launch("camera:=none", "viewer:=true", "viewer_options:=--port 0 --crops", "blur_faces:=true")
    with Probe() as probe, installed.running(*command, log=tmp_path / "launch.log") as launched:
        assert probe.get_parameters("/mask_detector", ["blur_faces"]) == [True]
        probe.until(lambda: "viewer: http://127.0.0.1:" in launched.output, "the address")
        (address,) = re.findall(r"viewer: (http://\S+)", launched.output)
        told = json.load(urlopen(f"{address}api/about"))["privacy"]
        assert "are blurred in everything that this viewer shows." in " ".join(told)
        assert launched.stop() == 0
    assert launched.output.count("process has finished cleanly") == 2, launched.output


@needs_launch
def test_an_argument_goes_before_the_parameter_file_and_an_empty_one_does_not(installed, tmp_path):
    of_all = {"face_detector": "haar", "image_transport": "compressed", "use_sim_time": True}
    of_detector = {"image_transport": "compressed", "face_min_size": 33}
    file = tmp_path / "mine.yaml"
    file.write_text(
        yaml.safe_dump(
            {"/**": {"ros__parameters": of_all}, "mask_detector": {"ros__parameters": of_detector}}
        )
    )
    command = launch("camera:=none", f"params_file:={file}", "image_transport:=raw")
    names = ["image_transport", "face_detector", "face_min_size", "use_sim_time"]
    with Probe() as probe, installed.running(*command, log=tmp_path / "launch.log"):
        assert probe.get_parameters("/mask_detector", names) == ["raw", "haar", 33, True]


@needs_launch
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["source:=/no/such/video.mp4"], "/no/such/video.mp4"),
        (["source:=video.mp4", "camera:=none"], "source:=video.mp4 goes with camera:=source"),
        (["camera:=none", "params_file:=/no/such.yaml"], "there is no parameter file /no/such.yaml"),
        (["camera:=none", "classifier:=none"], "no model 'none'"),
    ],
)
def test_what_cannot_be_is_told_and_ends_the_launch(installed, arguments, complaint):
    code, said = outcome(installed, *arguments)
    assert code == 1
    assert complaint in said and "Traceback" not in said


@needs_launch
@pytest.mark.parametrize(
    ("package", "arguments"), [("usb_cam", ["camera:=usb_cam"]), ("rviz2", ["camera:=none", "rviz:=true"])]
)
def test_a_package_that_is_missing_is_told(installed, package, arguments):
    if package in ros_packages():
        pytest.skip(f"{package} is installed here")
    code, said = outcome(installed, *arguments)
    assert code == 1
    assert f"{package} is not installed: sudo apt install ros-" in said


@needs_launch
def test_every_argument_is_explained(installed):
    _, shown = outcome(installed, "--show-args")
    assert shown.count("(default:") == 19
    assert "no description given" not in shown


@needs_launch_testing
@pytest.mark.parametrize("file", LAUNCH_TESTS, ids=lambda path: path.stem)
def test_launch_testing(installed, file):
    """In a process of its own: one that has sourced the workspace, as `launch_test` wants it."""
    command = [sys.executable, "-m", "launch_testing.launch_test", str(file)]
    done = subprocess.run(
        command, env=installed.environment, stdout=PIPE, stderr=STDOUT, text=True, timeout=120
    )
    assert done.returncode == 0 and "OK" in done.stdout, done.stdout


CAMERAS = "multi_camera.launch.py"


@needs_launch
def test_three_cameras_have_a_detector_each(installed, tmp_path):
    entries = {
        "left": {"source": str(PICTURE), "image_transport": "compressed", "loop": True},
        "right": {"source": str(PICTURE), "face_detector": "haar"},
        "door/inner": {"camera": "none", "image": "/door/image"},
    }
    file = tmp_path / "cameras.yaml"
    file.write_text(yaml.safe_dump(entries))
    command = launch(f"cameras:={file}", "namespace:=robot", "log_level:=warn", file=CAMERAS)
    topics = {name: f"/robot/{name}/mask_detector/detections" for name in ("left", "right")}
    with Probe() as probe, installed.running(*command, log=tmp_path / "launch.log") as launched:
        for topic in topics.values():
            probe.subscribe(Detection2DArray, topic)
        for name, topic in topics.items():
            probe.until(lambda topic=topic: any(one.detections for one in probe.received[topic]), name, 90)
        assert probe.node.count_subscribers("/robot/left/camera/image_raw/compressed") == 1
        assert probe.node.count_subscribers("/robot/left/camera/image_raw") == 0
        found = {name: probe.get_parameters(f"/robot/{name}/mask_detector", ["face_detector"])[0]
                 for name in entries}  # fmt: skip
        assert found == {"left": "auto", "right": "haar", "door/inner": "auto"}
        probe.until(lambda: probe.node.count_subscribers("/door/image"), "the third detector")
        assert launched.stop() == 0
    assert launched.output.count("process has finished cleanly") == 5, launched.output
    assert "Traceback" not in launched.output, launched.output


@pytest.fixture
def with_rviz(installed, tmp_path) -> Installed:
    """The installed package, and in place of rviz2 what shows the topics of the configuration it is given."""
    prefix = tmp_path / "prefix"
    mark = prefix / "share" / "ament_index" / "resource_index" / "packages" / "rviz2"
    program = prefix / "lib" / "rviz2" / "rviz2"
    for path in (mark, program):
        path.parent.mkdir(parents=True)
    mark.touch()
    program.write_text('#!/bin/sh\necho "in $*"\ngrep Value: "$2"\nexec sleep 1000\n')
    program.chmod(0o755)
    prefixes = os.pathsep.join([installed.environment["AMENT_PREFIX_PATH"], str(prefix)])
    return replace(installed, environment=installed.environment | {"AMENT_PREFIX_PATH": prefixes})


@needs_launch
def test_one_page_and_one_rviz_show_all_cameras(with_rviz, tmp_path):
    file = tmp_path / "cameras.yaml"
    file.write_text(yaml.safe_dump({name: {"camera": "none"} for name in ("door/inner", "left")}))
    asked = ["viewer:=true", f"viewer_options:=--port 0 --history {tmp_path / 'seen.sqlite'}", "rviz:=true"]
    command = launch(f"cameras:={file}", "namespace:=robot", *asked, file=CAMERAS)
    log = tmp_path / "launch.log"
    with Probe() as probe, with_rviz.running(*command, log=log) as launched:
        for name in ("left", "door/inner"):
            assert probe.get_parameters(f"/robot/{name}/mask_detector", ["blur_faces"]) == [False]
        probe.until(lambda: "viewer: http://127.0.0.1:" in launched.output, "the address")
        probe.until(lambda: "annotated_image" in launched.output, "the topics that rviz2 shows")
        launched.stop()
    for program in ("viewer", "rviz2"):
        assert len(re.findall(rf"\[{program}-\d\]: process started", launched.output)) == 1, launched.output
    shown = re.findall(r"Value: (\S*annotated_image)", launched.output)
    assert shown == [f"{name}/mask_detector/annotated_image" for name in ("door/inner", "left")]
    assert "__ns:=/robot" in launched.output and "Traceback" not in launched.output


@needs_launch
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file"),
        ("left: {", "is no YAML"),
        ("- left", "must have an entry for each camera"),
        ("left: {video_devise: /dev/video0}", "no argument 'video_devise': did you mean video_device?"),
        ("2nd: {}", "2nd is no namespace"),
        ("left: /dev/video0", "left is '/dev/video0'"),
        ("left: {image: [a, b]}", "image must be one value"),
        ("left: {camera: eyes}", "eyes"),
    ],
)
def test_a_bad_list_of_cameras_is_told(installed, tmp_path, content, complaint):
    file = tmp_path / "cameras.yaml"
    if content:
        file.write_text(content)
    code, said = outcome(installed, f"cameras:={file}", file=CAMERAS)
    assert code == 1
    assert complaint in said and "Traceback" not in said


@needs_launch
def test_a_detector_that_dies_is_started_again(installed, tmp_path):
    command = launch(f"source:={PICTURE}", "respawn:=true")
    topic = "/mask_detector/detections"
    with Probe() as probe, installed.running(*command, log=tmp_path / "launch.log") as launched:
        probe.subscribe(Detection2DArray, topic)
        probe.until(lambda: probe.received[topic], "a detection")
        (process,) = re.findall(r"\[detector-\d\]: process started with pid \[(\d+)\]", launched.output)
        os.kill(int(process), signal.SIGKILL)
        probe.until(lambda: "process has died" in launched.output, "the detector's end")
        probe.received[topic].clear()
        probe.until(lambda: probe.received[topic], "a detection of the new one")
        assert launched.stop() == 0
    assert len(re.findall(r"\[detector-\d\]: process started", launched.output)) == 2
