"""Faces as ROS4HRI has them, where its messages are installed; elsewhere the node says what to install."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from graph import Probe, Process, running
from sensor_msgs.msg import Image as ImageMsg
from std_srvs.srv import SetBool
from vision_msgs.msg import Detection2DArray

from mask_detector.crops import Image
from mask_detector.messages import to_image

INSTALLED = find_spec("hri_msgs")
ON = ["detector", "--ros-args", "-p", "ros4hri:=true"]
NODE = "/left/mask_detector"
TRACKED, REGION = "/humans/faces/tracked", "/humans/faces/left_mask_detector_1/roi"


@pytest.mark.skipif(bool(INSTALLED), reason="hri_msgs is installed")
def test_missing_messages_are_told_with_the_cure(tmp_path):
    process = Process(ON, tmp_path / "log")
    assert process.wait() == 1
    assert "ros4hri needs hri_msgs: sudo apt install" in process.output and "Traceback" not in process.output


@pytest.mark.skipif(not INSTALLED, reason="hri_msgs is not installed; there are no wheels of it")
def test_faces_have_regions_and_ids_while_they_are_followed(tmp_path: Path, astronaut: Image):
    from hri_msgs.msg import IdsList, NormalizedRegionOfInterest2D

    seen, nobody = astronaut, np.full_like(astronaut, 128)
    with Probe() as probe, running(*ON, "-r", "__ns:=/left", log=tmp_path / "log"):
        camera = probe.node.create_publisher(ImageMsg, "/left/image", 1)
        for kind, topic in (
            (Detection2DArray, f"{NODE}/detections"),
            (IdsList, TRACKED),
            (NormalizedRegionOfInterest2D, REGION),
        ):
            probe.subscribe(kind, topic)

        def show(image: Image, at: float) -> Detection2DArray:
            header = probe.header()
            header.stamp.sec, header.stamp.nanosec = 1000 + int(at), round(at % 1 * 1e9)
            return probe.ask(camera, to_image(image, header), f"{NODE}/detections")

        def tracked() -> list[str]:
            return probe.received[TRACKED][-1].ids if probe.received[TRACKED] else []

        show(seen, 0.1)
        probe.until(lambda: tracked() == ["left_mask_detector_1"], "the face to be tracked")
        probe.until(lambda: probe.node.count_publishers(REGION), "the topic of its region")
        (person,) = show(seen, 0.2).detections
        region = probe.until(lambda: probe.received[REGION], "the region")[-1]
        box, size = person.bbox, astronaut.shape[0]
        assert region.header.frame_id == person.header.frame_id
        assert (region.xmin + region.xmax) / 2 * size == pytest.approx(box.center.position.x, abs=2)
        assert (region.ymax - region.ymin) * size == pytest.approx(box.size_y, abs=2)

        show(nobody, 0.3)
        probe.spin(0.3)
        assert tracked() == ["left_mask_detector_1"], "out of sight for a moment"
        show(nobody, 3.0)
        probe.until(lambda: tracked() == [], "the face to be gone")
        probe.until(lambda: not probe.node.count_publishers(REGION), "its topic to be gone")

        show(seen, 3.1)
        probe.until(lambda: tracked() == ["left_mask_detector_2"], "a new face")
        probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=False))
        probe.until(lambda: tracked() == [], "nobody to be tracked while paused")
