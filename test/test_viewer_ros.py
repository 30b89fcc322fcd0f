"""The viewer's edge to ROS, over real DDS: what it believes of a detector, and what it passes on."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import cv2
import numpy as np
import pytest
from graph import LATCHED, Probe, Process, running
from viewing import jpeg
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesis, ObjectHypothesisWithPose

from mask_detector.detection import Detection
from mask_detector.model_store import load_manifest
from mask_detector.viewer.faces import Faces, Policy
from mask_detector.viewer.history import History
from mask_detector.viewer.live import Live
from mask_detector.viewer.ros_node import RosThread, ViewerNode

CLASSES = load_manifest().class_ids
FACE = (178.0, 63.0, 90.0, 113.0)
STAMP = (1_000, 0)


@contextmanager
def listening() -> Iterator[Live]:
    """Run a viewer's node for as long as the block lasts; gives what it tells."""
    live, loop = Live(CLASSES, History()), asyncio.new_event_loop()
    web = Thread(target=loop.run_forever)
    web.start()
    ros = RosThread(ViewerNode(live, loop, Policy()))
    try:
        yield live
    finally:
        ros.stop()
        loop.call_soon_threadsafe(loop.stop)
        web.join()
        loop.close()


def test_changes_are_told_where_clocks_differ_but_no_old_ones(monkeypatch):
    """The viewer's clock is a minute ahead."""
    before = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: before() + 60_000_000_000)
    with Probe() as probe:
        publish = {
            name: probe.node.create_publisher(Detection2DArray, f"/far/{name}", kept)
            for name, kept in (("detections", 1), ("state_changes", LATCHED))
        }

        def change(number: str) -> None:
            result = ObjectHypothesisWithPose(hypothesis=ObjectHypothesis(class_id=CLASSES[0], score=1.0))
            person = Detection2D(id=number, results=[result])
            publish["state_changes"].publish(Detection2DArray(detections=[person]))

        def told() -> set[str]:
            return {one.person for one in live.changes}

        change("old")
        with listening() as live:
            probe.until(lambda: publish["state_changes"].get_subscription_count(), "the viewer to listen")
            probe.until(lambda: (change("new"), probe.spin(0.2), told())[-1], "the changes to be told")
            assert told() == {"new"}


@pytest.mark.parametrize("said", [None, False, True])
def test_the_viewer_blurs_whatever_a_detector_says_of_itself(said, astronaut):
    faces = Faces("/front", Policy(blur=True))
    faces.blurred_at_source = said
    assert faces.presentable(STAMP, jpeg(astronaut)) == b"", "it is not known whose faces there are"
    faces.seen(STAMP, [Detection(FACE, {CLASSES[0]: 1.0}, "1")])
    shown = cv2.imdecode(np.frombuffer(faces.presentable(STAMP, jpeg(astronaut)), np.uint8), cv2.IMREAD_COLOR)
    left, top, width, height = map(int, FACE)
    face = np.s_[top : top + height, left : left + width]
    assert np.abs(shown[face].astype(int) - astronaut[face]).mean() > 10
    assert np.abs(shown[300:].astype(int) - astronaut[300:]).mean() < 5


def test_a_detector_that_took_a_killed_one_s_place_is_asked_again(tmp_path):
    with Probe() as probe, listening() as live:
        blurred = lambda: getattr(live.cameras.get("/mask_detector"), "blurred", None)  # noqa: E731
        killed = Process(["detector"], tmp_path / "killed.log")
        try:
            assert probe.set_parameter("/mask_detector", "blur_faces", True).successful
            probe.until(lambda: blurred() is True, "the viewer to know that faces are blurred")
        finally:
            killed.send(signal.SIGKILL)
            killed.wait()
        with running("detector", log=tmp_path / "detector.log"):
            probe.until(lambda: blurred() is False, "the viewer to know that they are no more")
