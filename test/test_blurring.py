"""Faces that are blurred are found and recognised no more, in all that leaves the detector and the viewer."""

import asyncio
import base64
import json
from pathlib import Path

import aiohttp
import cv2
import numpy as np
from graph import Probe, running
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import StoragePlugin
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header, String
from viewing import Viewer, jpeg, looking_at
from vision_msgs.msg import Detection2DArray

from mask_detector.annotate import main as annotate
from mask_detector.bag import main as bag
from mask_detector.bag.files import BagWriter, messages, reading
from mask_detector.blurring import blur_faces
from mask_detector.crops import Image
from mask_detector.face_detectors import make_face_detector
from mask_detector.image_conversion import compressed_to_bgr, to_bgr
from mask_detector.messages import to_compressed_image, to_image

FACE = (178, 63, 90, 113)
ANNOTATED = "/mask_detector/annotated_image/compressed"


FINE = 4.0  # the face as it is has 9 and more, its mosaic 1 at most


def detail(image: Image) -> float:
    """Return how much fine detail there is in the middle of the astronaut's face."""
    face = cv2.cvtColor(image[90:160, 195:250], cv2.COLOR_BGR2GRAY)
    return float(np.median(np.abs(cv2.Laplacian(face, cv2.CV_32F))))


def test_a_blurred_face_is_found_no_more_and_all_else_stays(astronaut):
    blurred = blur_faces(astronaut, [FACE])
    assert len(make_face_detector().detect(astronaut)) == 1
    assert len(make_face_detector().detect(blurred)) == 0
    assert (blurred[250:] == astronaut[250:]).all() and (blurred[:, 320:] == astronaut[:, 320:]).all()


def test_boxes_at_the_edge_and_none_at_all(astronaut):
    assert (blur_faces(astronaut, []) == astronaut).all()
    for box in ((-50, -50, 60, 60), (500, 500, 100, 100), (600, 600, 10, 10), (0, 0, 512, 512), (5, 5, 0, 0)):
        assert blur_faces(astronaut, [box]).shape == astronaut.shape


def test_the_detector_blurs_what_it_draws_if_told_so(tmp_path, astronaut):
    with running("detector", log=tmp_path / "log"), Probe() as probe:
        publisher = probe.node.create_publisher(ImageMsg, "/image", 1)
        probe.subscribe(CompressedImage, ANNOTATED)
        plain = probe.ask(publisher, to_image(astronaut, probe.header()), ANNOTATED)
        assert probe.set_parameter("/mask_detector", "blur_faces", True).successful
        blurred = probe.ask(publisher, to_image(astronaut, probe.header()), ANNOTATED)
    assert detail(compressed_to_bgr(plain.data)) > FINE > detail(compressed_to_bgr(blurred.data))


def test_a_face_of_a_size_that_does_not_count_is_blurred_too(tmp_path, astronaut):
    parameters = ["-p", "blur_faces:=true", "-p", "face_min_size:=200", "-p", "follow_score_threshold:=1.0"]
    with running("detector", "--ros-args", *parameters, log=tmp_path / "log"), Probe() as probe:
        publisher = probe.node.create_publisher(ImageMsg, "/image", 1)
        probe.subscribe(CompressedImage, ANNOTATED)
        probe.subscribe(Detection2DArray, "/mask_detector/detections")
        shown = probe.ask(publisher, to_image(astronaut, probe.header()), ANNOTATED)
        counted = probe.ask(publisher, to_image(astronaut, probe.header()), "/mask_detector/detections")
    assert counted.detections == []
    assert detail(compressed_to_bgr(shown.data)) < FINE


async def first_picture(viewer: Viewer) -> Image:
    """Return the first picture that a page is sent."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{viewer.address}live") as page:
        async for message in page:
            if message.type == aiohttp.WSMsgType.BINARY:
                return compressed_to_bgr(message.data[1 + message.data[0] :])
            if cameras := json.loads(message.data).get("cameras"):
                await page.send_json({"next": cameras[0]["name"]})
    raise AssertionError("the viewer has closed the connection")


def test_the_viewer_shows_no_face_if_told_so(tmp_path: Path, astronaut):
    with looking_at(astronaut, tmp_path, "--blur-faces") as viewer:
        shown = asyncio.run(asyncio.wait_for(first_picture(viewer), 60))
        assert detail(shown) < FINE < detail(astronaut)
        _, tried = viewer.post("/api/classify", jpeg(astronaut))
        assert tried["detections"] and detail(compressed_to_bgr(base64.b64decode(tried["jpeg"]))) < FINE


def test_the_copies_of_annotate_show_no_face_if_told_so(tmp_path: Path, astronaut, capsys):
    picture, out = tmp_path / "person.png", tmp_path / "out"
    cv2.imwrite(str(picture), astronaut)
    command = [str(picture), "--out", str(out)]
    assert annotate(command) == 0
    assert detail(cv2.imread(str(out / "person.png"))) > FINE
    lines = (out / "annotations.jsonl").read_text()
    assert annotate([*command, "--blur-faces", "--resume"]) == 0  # nothing of the former run remains
    assert detail(cv2.imread(str(out / "person.png"))) < FINE
    assert (out / "annotations.jsonl").read_text() == lines and json.loads(lines)["detections"]


def test_a_bag_with_blurred_faces_has_no_other_pictures(tmp_path: Path, astronaut, capsys):
    raw, jpeg = to_image(astronaut, Header()), to_compressed_image(astronaut, Header(), 95)
    writer = BagWriter(tmp_path / "in", StoragePlugin.MCAP)
    with writer:
        for topic, message in (("/camera", raw), ("/camera/compressed", jpeg), ("/said", String(data="hi"))):
            writer.add(topic, message, 1)
    command = ["--topic", "/camera", str(tmp_path / "in"), str(tmp_path / "out"), "--blur-faces"]
    assert bag(command) == 0
    assert "left out, as they may show faces: /camera, /camera/compressed" in capsys.readouterr().err
    with reading(tmp_path / "out") as reader:
        found = {connection.topic: data for connection, _, data in messages(reader)}
    assert set(found) == {"/said", "/mask_detector/detections", "/mask_detector/annotated_image"}
    drawn = deserialize_message(found["/mask_detector/annotated_image"], ImageMsg)
    assert detail(to_bgr(drawn)) < FINE
