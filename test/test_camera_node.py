"""The camera node in its own process, over real DDS."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from graph import Probe, Process, running
from media import network_camera
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from vision_msgs.msg import Detection2DArray

from mask_detector.demo_clip import make_demo_clip
from mask_detector.image_conversion import compressed_to_bgr, to_bgr


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (10, 20, 30):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((48, 64, 3), number, np.uint8))
    return folder


def camera(source: Path, *parameters: str, log: Path):
    given = [argument for one in (f"source:={source}", *parameters) for argument in ("-p", one)]
    return running("camera", "--ros-args", *given, log=log)


def test_a_folder_becomes_images_with_a_header(pictures, tmp_path):
    with Probe() as probe, camera(pictures, "rate:=20.0", "frame_id:=front", log=tmp_path / "log"):
        probe.subscribe(ImageMsg, "/image_raw")
        images = probe.until(lambda: probe.received["/image_raw"][4:], "five images")
        images = probe.received["/image_raw"]
    stamps = [(image.header.stamp.sec, image.header.stamp.nanosec) for image in images]
    assert stamps == sorted(set(stamps)) and stamps[0][0] > 1_600_000_000
    assert {image.header.frame_id for image in images} == {"front"}
    assert [int(to_bgr(image)[0, 0, 0]) for image in images[:4]] == [10, 20, 30, 10]
    assert (images[0].width, images[0].height, images[0].step) == (64, 48, 192)


def test_nobody_misses_the_beginning_and_once_means_once(pictures, tmp_path):
    with Probe() as probe, camera(pictures, "rate:=20.0", "loop:=false", log=tmp_path / "log") as process:
        probe.spin(2.0)
        assert process.alive(), "it waits for its first subscriber"
        probe.subscribe(ImageMsg, "/image_raw")
        probe.until(lambda: len(probe.received["/image_raw"]) == 3, "all three images")
        assert process.wait() == 0
        assert "Traceback" not in process.output


def test_jpeg_comes_below_the_remapped_topic(pictures, tmp_path):
    arguments = ["camera", "--ros-args", "-p", f"source:={pictures}", "-r", "image_raw:=/front/image_raw"]
    with Probe() as probe, running(*arguments, log=tmp_path / "log"):
        probe.subscribe(CompressedImage, "/front/image_raw/compressed")
        (image, *_) = probe.until(lambda: probe.received["/front/image_raw/compressed"], "a JPEG")
        assert compressed_to_bgr(image.data).shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("source", "told"),
    [("/nowhere.mp4", "/nowhere.mp4"), (".", "no pictures"), (__file__, "neither a picture nor a video")],
)
def test_a_file_that_cannot_be_played_ends_with_code_1(source, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    process = Process(["camera", "--ros-args", "-p", f"source:={source}"], tmp_path / "log")
    assert process.wait() == 1
    assert told in process.output and "Traceback" not in process.output


def test_a_webcam_that_is_away_is_waited_for(tmp_path):
    with (
        Probe() as probe,
        running("camera", "--ros-args", "-p", "source:=99", log=tmp_path / "log") as process,
    ):
        probe.until(lambda: "trying again" in process.output, "the camera to say what it does")
        assert process.alive() and process.stop() == 0


def test_what_is_read_at_the_start_is_refused_later_with_a_cure_that_works(pictures, tmp_path):
    with Probe() as probe, camera(pictures, log=tmp_path / "log"):
        probe.until(lambda: probe.node.count_publishers("/image_raw"), "the camera")
        answer = probe.set_parameter("/camera", "rate", 5.0)
        assert not answer.successful and "rate is read when the node starts: start it again" in answer.reason


def test_a_password_is_not_told(tmp_path):
    with (
        network_camera() as address,
        running("camera", "--ros-args", "-p", f"source:={address}", log=tmp_path / "log") as process,
        Probe() as probe,
    ):
        probe.until(lambda: "images on /image_raw" in process.output, "the camera to say what it plays")
    assert "http://127.0.0.1" in process.output and "secret" not in process.output


def test_camera_detector_and_a_third_find_each_other(tmp_path):
    """Three processes: the camera plays the demo clip, the detector answers, this one listens."""
    clip = make_demo_clip(tmp_path / "clip.mp4")
    remap = ["--ros-args", "-r", "image:=/image_raw"]
    with Probe() as probe, running("detector", *remap, log=tmp_path / "detector.log"):
        probe.subscribe(Detection2DArray, "/mask_detector/detections")
        with camera(clip, log=tmp_path / "camera.log"):
            topic = "/mask_detector/detections"
            arrays = probe.until(
                lambda: [one for one in probe.received[topic] if one.detections][9:], "ten faces"
            )
    assert arrays[-1].header.frame_id == "camera"


def test_a_source_that_vanishes_while_it_plays_ends_with_code_1(pictures, tmp_path):
    arguments = ["camera", "--ros-args", "-p", f"source:={pictures}", "-p", "rate:=20.0"]
    process = Process(arguments, tmp_path / "log")
    with Probe() as probe:
        probe.subscribe(ImageMsg, "/image_raw")
        probe.until(lambda: probe.received["/image_raw"], "an image")
        for picture in pictures.iterdir():
            picture.unlink()
        assert process.wait() == 1
    assert "no pictures" in process.output and "Traceback" not in process.output
