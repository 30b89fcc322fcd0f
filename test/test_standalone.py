"""The set-up without ROS: what it tells where something is missing, and that it built the real interface."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from vision_msgs.msg import Detection2D, Detection2DArray

REPOSITORY = Path(__file__).resolve().parents[1]
INSTALL = REPOSITORY / "standalone" / "install.py"

# Computed by ROS 2 from names, types and order of all fields: with another one, machines of
# different installations would not understand each other.
TYPE_HASHES = {
    "Detection2DArray": "RIHS01_214274120007f4a683866481336b70310268cfa107aebe9d594a6acf75bda968",
    "LabelInfo": "RIHS01_3d37df4015cdf660cc851c51897f2acd957e1ca6205ba0a99aebffb9406b0783",
    "VisionInfo": "RIHS01_95d3116a17484ad91c9a2686e1d54890bbfc3ff6c6a2de137738c4950d45d284",
}


def install(path: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PATH": path, "CXX": ""}
    return subprocess.run([sys.executable, str(INSTALL)], capture_output=True, text=True, env=environment)


def test_a_missing_compiler_is_named_with_the_cure(tmp_path):
    done = install(str(tmp_path))
    assert done.returncode == 1
    assert "sudo apt install g++" in done.stderr and "sudo apt install make" in done.stderr
    assert "Traceback" not in done.stderr


def test_only_what_is_missing_is_named(tmp_path):
    (tmp_path / "g++").symlink_to(shutil.which("true"))
    done = install(str(tmp_path))
    assert "sudo apt install make" in done.stderr and "g++" not in done.stderr


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.14"])
def test_a_python_out_of_range_is_refused_with_the_cure(version):
    python = shutil.which(f"python{version}")
    if not python or subprocess.run([python, "--version"], capture_output=True).returncode:
        pytest.skip(f"Python {version} is not installed here")
    done = subprocess.run([str(python), str(INSTALL)], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"Python {version}" in done.stderr and "3.10 to 3.13" in done.stderr


@pytest.mark.parametrize(("name", "type_hash"), TYPE_HASHES.items())
def test_vision_msgs_is_the_interface_that_other_machines_have(name, type_hash):
    description = Path(sys.prefix) / "share" / "vision_msgs" / "msg" / f"{name}.json"
    if not description.is_file():
        pytest.skip("vision_msgs was not built by standalone/install.py")
    hashes = {
        entry["type_name"]: entry["hash_string"]
        for entry in json.loads(description.read_text())["type_hashes"]
    }
    assert hashes[f"vision_msgs/msg/{name}"] == type_hash


def test_vision_msgs_is_the_generated_package():
    array = Detection2DArray(detections=[Detection2D(id="7")])
    array.detections[0].bbox.center.position.x = 1.5
    assert array.detections[0].bbox.center.position.x == 1.5
