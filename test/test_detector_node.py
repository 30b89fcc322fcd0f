"""The detector node as others see it: in its own process, over real DDS, with real models."""

from pathlib import Path

import numpy as np
import pytest
from graph import LATCHED, running
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_srvs.srv import SetBool
from vision_msgs.msg import LabelInfo, VisionInfo

from mask_detector.detector_node import PARAMETERS
from mask_detector.image_conversion import compressed_to_bgr, to_bgr
from mask_detector.messages import to_compressed_image, to_image
from mask_detector.model_store import load_manifest
from mask_detector.runtimes import fastest

NODE = "/mask_detector"
DETECTIONS = f"{NODE}/detections"
CHANGES = f"{NODE}/state_changes"
ANNOTATED = f"{NODE}/annotated_image"


def test_a_face_is_published_with_the_image_s_header(probe, detector, publisher, astronaut):
    header = probe.header()
    array = probe.ask(publisher, to_image(astronaut, header), DETECTIONS)
    (detection,) = array.detections
    assert array.header == detection.header == header

    box = detection.bbox
    assert (box.center.position.x, box.center.position.y) == pytest.approx((223, 119), abs=12)
    assert (box.size_x, box.size_y) == pytest.approx((90, 113), abs=20)

    hypotheses = [result.hypothesis for result in detection.results]
    scores = [hypothesis.score for hypothesis in hypotheses]
    assert {hypothesis.class_id for hypothesis in hypotheses} == set(load_manifest().class_ids)
    assert hypotheses[0].class_id == "no_mask"
    assert scores == sorted(scores, reverse=True) and sum(scores) == pytest.approx(1, abs=1e-3)


def test_an_image_without_people_gives_an_empty_array(probe, detector, publisher):
    header = probe.header()
    array = probe.ask(publisher, to_image(np.full((120, 160, 3), 128, np.uint8), header), DETECTIONS)
    assert array.header == header and array.detections == []


def test_boxes_lie_in_pixels_of_the_input_whatever_its_shape(probe, detector, publisher, astronaut):
    wide = np.zeros((600, 2400, 3), np.uint8)
    wide[50:562, 1800:2312] = astronaut
    (detection,) = probe.ask(publisher, to_image(wide, probe.header()), DETECTIONS).detections
    centre = detection.bbox.center.position
    assert (centre.x, centre.y) == pytest.approx((1800 + 223, 50 + 119), abs=15)


def test_compressed_images_come_from_below_the_remapped_topic(probe, tmp_path, astronaut):
    arguments = ["--ros-args", "-p", "image_transport:=compressed", "-r", "image:=/camera/image_raw"]
    publisher = probe.node.create_publisher(CompressedImage, "/camera/image_raw/compressed", 1)
    with running("detector", *arguments, log=tmp_path / "log"):
        header = probe.header()
        array = probe.ask(publisher, to_compressed_image(astronaut, header, 95), DETECTIONS)
        assert array.header == header and len(array.detections) == 1


def test_the_annotated_image_is_made_only_for_subscribers(probe, detector, publisher, astronaut):
    probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS)
    probe.subscribe(ImageMsg, ANNOTATED)
    probe.subscribe(CompressedImage, f"{ANNOTATED}/compressed")
    probe.until(lambda: probe.node.count_publishers(ANNOTATED), "the publisher")
    header = probe.header()
    raw = probe.ask(publisher, to_image(astronaut, header), ANNOTATED)
    drawn = to_bgr(raw)
    assert raw.header == header and drawn.shape == astronaut.shape
    assert (drawn != astronaut).any(axis=2).mean() > 0.005, "something is drawn"
    assert (drawn == astronaut).all(axis=2).mean() > 0.8, "and the rest is as it was"

    compressed = probe.ask(publisher, to_image(astronaut, probe.header()), f"{ANNOTATED}/compressed")
    assert compressed_to_bgr(compressed.data).shape == astronaut.shape
    assert compressed.format.startswith("bgr8; jpeg")


def test_who_comes_late_still_learns_the_classes(probe, detector):
    probe.until(lambda: probe.state(NODE) == "active", "the node to be active")
    probe.subscribe(LabelInfo, f"{NODE}/label_info", LATCHED)
    probe.subscribe(VisionInfo, f"{NODE}/vision_info", LATCHED)
    (labels,) = probe.until(lambda: probe.received[f"{NODE}/label_info"], "label_info")
    assert [entry.class_name for entry in labels.class_map] == list(load_manifest().class_ids)
    (info,) = probe.until(lambda: probe.received[f"{NODE}/vision_info"], "vision_info")
    assert info.method.endswith(f"({fastest(load_manifest().classifier().files)})")
    assert Path(info.database_location).is_file()


def test_a_paused_node_says_nothing_and_resumes(probe, detector, publisher, astronaut):
    image = to_image(astronaut, probe.header())
    probe.ask(publisher, image, DETECTIONS)
    assert probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=False)).success
    probe.received[DETECTIONS].clear()
    for _ in range(10):
        publisher.publish(image)
        probe.spin(0.05)
    assert probe.received[DETECTIONS] == []
    assert probe.call(SetBool, f"{NODE}/enable", SetBool.Request(data=True)).success
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections


def test_thresholds_change_while_it_runs(probe, detector, publisher, astronaut):
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
    assert probe.set_parameter(NODE, "face_min_size", 200).successful
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections == []
    assert probe.set_parameter(NODE, "face_min_size", 50).successful
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("face_score_threshold", 1.5, "out of range"),
        ("face_score_threshold", "high", "Wrong parameter type, expected 'Type.DOUBLE'"),
        ("face_input_size", 0, "out of range"),
        ("runtime", "keras", "deactivate and clean it up first"),
        ("face_max_size", 15, "face_min_size 16 is above face_max_size 15"),
        ("face_detector", "eyes", "must be one of: auto, masked_yunet, yunet, haar"),
    ],
)
def test_a_bad_value_is_refused_with_the_reason(probe, detector, name, value, reason):
    probe.until(lambda: probe.state(NODE) == "active", "the node to be active")
    result = probe.set_parameter(NODE, name, value)
    assert not result.successful and reason in result.reason


def test_a_value_that_a_parameter_has_already_is_no_change(probe, detector):
    probe.until(lambda: probe.state(NODE) == "active", "the node to be active")
    assert probe.set_parameter(NODE, "runtime", "auto").successful, "as a dump that is loaded says"


def test_every_parameter_explains_itself(probe, detector):
    names = [entry.name for entry in PARAMETERS]
    assert probe.get_parameters(NODE, names) == [entry.default for entry in PARAMETERS]
    for entry, descriptor in zip(PARAMETERS, probe.describe_parameters(NODE, names), strict=True):
        assert descriptor.description == entry.description
        number = isinstance(entry.default, (int, float)) and not isinstance(entry.default, bool)
        assert bool(descriptor.integer_range or descriptor.floating_point_range) == number


def test_a_malformed_image_is_told_once_and_the_next_one_counts(probe, detector, publisher, astronaut):
    probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS)
    short = to_image(astronaut, probe.header())
    short.data = short.data[:1000]
    strange = to_image(astronaut, probe.header())
    strange.encoding = "jellyfish"
    for _ in range(5):
        for broken in (short, strange):
            publisher.publish(broken)
            probe.spin(0.05)
    assert probe.ask(publisher, to_image(astronaut, probe.header()), DETECTIONS).detections
    told = [line for line in detector.output.splitlines() if "left out" in line]
    assert len(told) == 1 and "1000 bytes of data" in told[0]
