"""detect.launch.py under launch_testing: `launch_test detect.py` where the workspace has been sourced."""

import sys
import unittest
from pathlib import Path

import launch_testing.asserts
import pytest
from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_testing.actions import ReadyToTest
from vision_msgs.msg import Detection2DArray

from launch import LaunchDescription

sys.path.append(str(Path(__file__).resolve().parents[1]))
from graph import Probe  # noqa: E402

PICTURE = Path(__file__).resolve().parents[2] / "mask_detector" / "data" / "astronaut.jpg"
DETECTIONS = "/left/mask_detector/detections"


@pytest.mark.launch_test
def generate_test_description() -> LaunchDescription:
    file = Path(get_package_share_directory("mask_detector"), "launch", "detect.launch.py")
    arguments = {"source": str(PICTURE), "namespace": "left"}
    source = PythonLaunchDescriptionSource(str(file))
    include = IncludeLaunchDescription(source, launch_arguments=arguments.items())
    return LaunchDescription([include, ReadyToTest()])


class WhileItRuns(unittest.TestCase):
    def test_a_face_is_found(self, proc_output):
        proc_output.assertWaitFor(f"detections on {DETECTIONS}", timeout=30)
        with Probe() as probe:
            probe.subscribe(Detection2DArray, DETECTIONS)
            (array, *_) = probe.until(lambda: probe.received[DETECTIONS], "detections")
        (person,) = array.detections
        assert person.results[0].hypothesis.class_id == "no_mask"


@launch_testing.post_shutdown_test()
class AfterItsEnd(unittest.TestCase):
    def test_camera_and_detector_have_ended_cleanly(self, proc_info, proc_output):
        assert sorted(name.partition("-")[0] for name in proc_info.process_names()) == ["camera", "detector"]
        launch_testing.asserts.assertExitCodes(proc_info)
        assert not any(b"Traceback" in output.text for output in proc_output)
