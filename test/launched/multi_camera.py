"""multi_camera.launch.py under launch_testing, as in detect.py: three cameras, each with its detector."""

import sys
import tempfile
import unittest
from pathlib import Path

import launch_testing.asserts
import pytest
import yaml
from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing.actions import ReadyToTest
from vision_msgs.msg import Detection2DArray

from launch import LaunchDescription

sys.path.append(str(Path(__file__).resolve().parents[1]))
from graph import Probe  # noqa: E402

PICTURE = Path(__file__).resolve().parents[2] / "mask_detector" / "data" / "astronaut.jpg"
CAMERAS = {"left": {"loop": True}, "right": {"face_detector": "haar"}, "door": {}}


@pytest.mark.launch_test
def generate_test_description() -> tuple[LaunchDescription, dict]:
    folder = tempfile.TemporaryDirectory()
    cameras = Path(folder.name, "cameras.yaml")
    entries = {name: entry | {"source": str(PICTURE)} for name, entry in CAMERAS.items()}
    cameras.write_text(yaml.safe_dump(entries))
    file = Path(get_package_share_directory("mask_detector"), "launch", "multi_camera.launch.py")
    source = PythonLaunchDescriptionSource(str(file))
    include = IncludeLaunchDescription(source, launch_arguments=[("cameras", str(cameras))])
    return LaunchDescription([include, ReadyToTest()]), {"folder": folder}  # kept as long as the launch


class WhileTheyRun(unittest.TestCase):
    def test_each_camera_has_detections_of_its_own(self):
        topics = [f"/{name}/mask_detector/detections" for name in CAMERAS]
        with Probe() as probe:
            for topic in topics:
                probe.subscribe(Detection2DArray, topic)
            for topic in topics:
                probe.until(
                    lambda topic=topic: any(one.detections for one in probe.received[topic]), topic, 60
                )


@launch_testing.post_shutdown_test()
class AfterTheirEnd(unittest.TestCase):
    def test_all_have_ended_cleanly(self, proc_info, proc_output):
        names = sorted(name.partition("-")[0] for name in proc_info.process_names())
        assert names == 3 * ["camera"] + 3 * ["detector"]
        launch_testing.asserts.assertExitCodes(proc_info)
        assert not any(b"Traceback" in output.text for output in proc_output)
