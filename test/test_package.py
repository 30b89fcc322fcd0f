"""The package as ROS builds, installs and starts it: with the real colcon, in a copy of the repository."""

import ast
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from graph import Probe
from installation import ros_packages

from mask_detector import __version__, camera_node, detector_node

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIG = REPOSITORY / "config"


def parameters_in(path: Path, node: str) -> dict[str, object]:
    """Return the parameters of a file that sets them for `node` in any namespace, and for no other."""
    content = yaml.safe_load(path.read_text())
    assert list(content) == [f"/**/{node}"]
    return content[f"/**/{node}"]["ros__parameters"]


def test_colcon_installs_what_ros_and_the_nodes_look_for(installed):
    marker = installed.prefix / "share" / "ament_index" / "resource_index" / "packages" / "mask_detector"
    assert marker.is_file()
    assert (installed.share / "package.xml").read_bytes() == (REPOSITORY / "package.xml").read_bytes()
    for folder in ("launch", "config", "models"):
        ours = {path.name: path.stat().st_size for path in (REPOSITORY / folder).iterdir() if path.is_file()}
        theirs = {path.name: path.stat().st_size for path in (installed.share / folder).iterdir()}
        assert theirs == {name: size for name, size in ours.items() if "." in name}


def test_the_version_is_the_same_everywhere(installed):
    package = ElementTree.parse(REPOSITORY / "package.xml").getroot()
    (distribution,) = distributions(path=[str(installed.python_path)])
    assert package.get("format") == "3"
    assert package.findtext("name") == distribution.name == "mask_detector"
    assert package.findtext("version") == distribution.version == __version__


def test_package_xml_names_every_ros_package_that_is_imported():
    sources = [*REPOSITORY.glob("mask_detector/**/*.py"), *REPOSITORY.glob("launch/*.py")]
    imported = {name for path in sources for name in _imports(path)}
    package = ElementTree.parse(REPOSITORY / "package.xml").getroot()
    declared = {element.text for element in package if element.tag in ("depend", "exec_depend")}
    optional = {"hri_msgs"}  # parameter ros4hri says what to install
    needed = imported & (ros_packages() | {"launch", "launch_ros"}) - {"mask_detector"} - optional
    assert len(needed) > 5 and needed <= declared


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(
    ("file", "node", "table"),
    [
        ("detector.yaml", "mask_detector", detector_node.PARAMETERS),
        ("camera.yaml", "camera", camera_node.PARAMETERS),
    ],
)
def test_a_parameter_file_states_every_parameter_with_its_default(file, node, table):
    stated = parameters_in(CONFIG / file, node)
    assert stated == {entry.name: entry.default for entry in table}
    for entry in table:  # 1 == 1.0 == True, but not for ROS
        assert type(stated[entry.name]) is type(entry.default), entry.name


def test_both_cameras_name_the_same_frame():
    frame = parameters_in(CONFIG / "camera.yaml", "camera")["frame_id"]
    assert parameters_in(CONFIG / "usb_cam.yaml", "usb_cam")["frame_id"] == frame


def test_rviz_shows_the_annotated_image_in_a_dock_of_its_own():
    content = yaml.safe_load((CONFIG / "detect.rviz").read_text())
    (display,) = content["Visualization Manager"]["Displays"]
    assert display["Topic"]["Value"] == "mask_detector/annotated_image"  # relative: in rviz2's namespace
    assert display["Topic"]["Reliability Policy"] == "Reliable"
    layout = bytes.fromhex(content["Window Geometry"]["QMainWindow State"])
    assert display["Name"].encode("utf-16-be") in layout


def test_the_installed_detector_starts_from_its_parameter_file(installed, tmp_path):
    expected = parameters_in(CONFIG / "detector.yaml", "mask_detector") | {"face_min_size": 33}
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({"/**/mask_detector": {"ros__parameters": expected}}))
    command = [
        installed.executable("detector"),
        "--ros-args",
        "-r",
        "__ns:=/left",
        "--params-file",
        str(file),
    ]
    with Probe() as probe, installed.running(*command, log=tmp_path / "detector.log") as detector:
        values = probe.get_parameters("/left/mask_detector", list(expected))
        assert dict(zip(expected, values, strict=True)) == expected
        assert detector.stop() == 0


def test_the_installed_camera_starts_from_its_parameter_file(installed, tmp_path):
    picture = REPOSITORY / "mask_detector" / "data" / "astronaut.jpg"
    file = installed.share / "config" / "camera.yaml"
    command = [installed.executable("camera"), "--ros-args", "--params-file", str(file)]
    command += ["-p", f"source:={picture}"]
    with Probe() as probe, installed.running(*command, log=tmp_path / "camera.log") as camera:
        assert probe.get_parameters("/camera", ["source"]) == [str(picture)]
        assert camera.stop() == 0


def test_the_installed_package_annotates_without_ros(installed, tmp_path):
    picture = REPOSITORY / "mask_detector" / "data" / "astronaut.jpg"
    command = [installed.executable("annotate"), str(picture), "--json", str(tmp_path / "out.jsonl")]
    with installed.running(*command, log=tmp_path / "annotate.log") as annotate:
        assert annotate.wait() == 0, annotate.output
    assert '"no_mask"' in (tmp_path / "out.jsonl").read_text()
