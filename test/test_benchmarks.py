"""The clocks of the benchmark stand where the node works, and its frames hold what they say."""

import json

import pytest
from graph import Probe
from sensor_msgs.msg import Image as ImageMsg
from vision_msgs.msg import Detection2DArray

from benchmarks.frames import frames
from benchmarks.headline import README, RESULTS, headline, told
from benchmarks.node_process import NodeProcess
from benchmarks.peer import _level
from benchmarks.soak import Sample, verdict
from benchmarks.traced import DETECTOR_STAGES, STAGES
from mask_detector.face_detectors import make_face_detector
from mask_detector.messages import to_image


@pytest.mark.parametrize("case", [(640, 480, 0), (320, 240, 1), (640, 480, 8), (1280, 720, 50)])
def test_frames_hold_so_many_faces(case):
    width, height, faces = case
    detector = make_face_detector()
    for frame in frames(*case, 2):
        assert frame.shape == (height, width, 3)
        assert len(detector.detect(frame)) == faces


def test_every_stage_is_timed_in_the_real_node(tmp_path):
    trace = tmp_path / "trace.jsonl"
    with Probe() as probe, NodeProcess(["benchmarks.traced", str(trace)], tmp_path / "log"):
        probe.subscribe(Detection2DArray, "/mask_detector/detections")
        probe.subscribe(ImageMsg, "/mask_detector/annotated_image")
        publisher = probe.node.create_publisher(ImageMsg, "/image", 1)
        for topic in probe.received:
            message = to_image(frames(640, 480, 1, 1)[0], probe.header())
            probe.ask(publisher, message, topic)
    *_, last = map(json.loads, trace.read_text().splitlines())
    assert set(last) == {*STAGES, *DETECTOR_STAGES}
    assert all(spent > 0 for stage, spent in last.items() if stage != "receive")
    assert sum(last[stage] for stage in DETECTOR_STAGES) < last["detect"]


def test_the_soak_sees_what_grows():
    flat = [Sample(seconds, 0, 100.0, 60.0, 20, 9, 10.0, 12.0) for seconds in range(60)]
    leaking = [
        Sample(one.seconds, 0, 100 + one.seconds / 10, 60.0, 20 + one.seconds // 30, 9, 1, 1) for one in flat
    ]
    assert verdict(flat) == []
    assert [line.split()[0] for line in verdict(leaking)] == ["memory", "handles"]


def test_the_peer_has_an_anchor_for_each_of_its_answers():
    assert sum(len(_level(cells, (0.1, 0.2))) for cells in (33, 17, 9, 5, 3)) == 5972


def test_the_readme_s_figures_are_those_of_the_saved_results():
    assert told(README.read_text()) == headline(json.loads(RESULTS.read_text()))
