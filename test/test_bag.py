"""Recorded bags: what goes in comes out with the answers, and a damaged one is told."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.interfaces import QosDurability
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import CompressedImage
from sensor_msgs.msg import Image as ImageMsg
from std_msgs.msg import Header, String
from vision_msgs.msg import Detection2DArray

from mask_detector.bag import main
from mask_detector.crops import Image
from mask_detector.demo_clip import make_demo_clip
from mask_detector.frame_sources import open_source
from mask_detector.image_conversion import compressed_to_bgr, to_bgr
from mask_detector.messages import to_compressed_image, to_image

CAMERA = "/front/image_raw"
ANSWERS = "/mask_detector/detections"
CHANGES = "/mask_detector/state_changes"
ANNOTATED = "/mask_detector/annotated_image"
TYPES = get_typestore(Stores.ROS2_JAZZY)
BEGIN = 1_700_000_000_000_000_000  # ns
DELAY = 5_000_000  # ns from taking to recording


class Recorder:
    """Records a bag as a robot does."""

    def __init__(
        self, path: Path, storage: StoragePlugin, compression: CompressionMode = CompressionMode.NONE
    ) -> None:
        self._writer = Writer(path, version=9, storage_plugin=storage)
        self._writer.set_compression(compression, CompressionFormat.ZSTD)
        self._topics: dict[str, Any] = {}

    def __enter__(self) -> "Recorder":
        self._writer.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, topic: str, message: Any, time: int, data: bytes | None = None, kind: str = "") -> None:
        if topic not in self._topics:
            name = kind or f"{type(message).__module__.partition('.')[0]}/msg/{type(message).__name__}"
            known = {"msgdef": "int32 x", "rihs01": "RIHS01_" + 64 * "a"} if kind else {"typestore": TYPES}
            self._topics[topic] = self._writer.add_connection(topic, name, **known)
        self._writer.write(self._topics[topic], time, data or serialize_message(message))


def header(time: int) -> Header:
    stamped = Header(frame_id="front_camera")
    stamped.stamp.sec, stamped.stamp.nanosec = divmod(time, 10**9)
    return stamped


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """The first seconds of the demo, without a mask, then with one, at 7.5 frames a second."""
    with open_source(str(make_demo_clip(tmp_path_factory.mktemp("clip") / "clip.mp4"))) as source:
        return [frame.image for frame in source][:70:2]


def record(path: Path, images: list[Image], storage: StoragePlugin, compressed: bool = False) -> Path:
    with Recorder(path, storage) as recorder:
        for index, image in enumerate(images):
            taken = BEGIN + index * 133_333_333
            raw = to_image(image, header(taken))
            message = to_compressed_image(image, header(taken), 95) if compressed else raw
            recorder.write(f"{CAMERA}/compressed" if compressed else CAMERA, message, taken + DELAY)
            recorder.write("/chatter", String(data=f"frame {index}"), taken + DELAY + 1)
    return path


def read(path: Path, topic: str, kind: type) -> Iterator[tuple[int, Any]]:
    """The messages of a topic with their times of recording."""
    with Reader(path) as reader:
        for connection, recorded, data in reader.messages():
            if connection.topic == topic:
                yield recorded, deserialize_message(data, kind)


def everything(path: Path) -> list[tuple[str, str, str, int, bytes]]:
    with Reader(path) as reader:
        return [(one.topic, one.msgtype, one.digest, *rest) for one, *rest in reader.messages()]


@pytest.mark.parametrize(("storage", "compressed"), [("MCAP", False), ("SQLITE3", True)])
def test_the_same_bag_comes_out_with_the_answers(tmp_path, frames, storage, compressed):
    bag = record(tmp_path / "in", frames, StoragePlugin[storage], compressed)
    out = tmp_path / "out"
    assert main([str(bag), str(out)]) == 0
    assert len(list(out.glob("*.mcap" if storage == "MCAP" else "*.db3"))) == 1

    before, after = everything(bag), everything(out)
    assert [one for one in after if not one[0].startswith("/mask_detector/")] == before

    taken = [BEGIN + index * 133_333_333 for index in range(len(frames))]
    arrays = list(read(out, ANSWERS, Detection2DArray))
    assert [recorded for recorded, _ in arrays] == [time + DELAY for time in taken]
    assert [array.header for _, array in arrays] == [header(time) for time in taken]
    assert all([one.id for one in array.detections] == ["1"] for _, array in arrays)

    told = [(at, one.id, one.results[0].hypothesis.class_id)
            for at, array in read(out, CHANGES, Detection2DArray) for one in array.detections]  # fmt: skip
    assert [one[1:] for one in told] == [("1", "no_mask"), ("1", "mask")]
    assert 0 < told[1][0] - (BEGIN + 2.5e9) < 1e9

    with Reader(out) as reader:
        latched = {
            connection.topic
            for connection in reader.connections
            for qos in connection.ext.offered_qos_profiles
            if qos.durability is QosDurability.TRANSIENT_LOCAL
        }
    assert latched == {CHANGES}, "as the node has it"

    kind, topic = (CompressedImage, f"{ANNOTATED}/compressed") if compressed else (ImageMsg, ANNOTATED)
    drawn = list(read(out, topic, kind))
    assert [image.header for _, image in drawn] == [header(time) for time in taken]
    picture = compressed_to_bgr(drawn[3][1].data) if compressed else to_bgr(drawn[3][1])
    changed = np.abs(picture.astype(int) - frames[3]).max(axis=2) > 60
    assert picture.shape == frames[3].shape and 0.005 < changed.mean() < 0.2


def test_a_second_pass_replaces_the_answers_of_the_first(tmp_path, frames):
    bag = record(tmp_path / "in", frames[:3], StoragePlugin.MCAP)
    assert main([str(bag), str(tmp_path / "one")]) == 0
    assert main([str(tmp_path / "one"), str(tmp_path / "two")]) == 0
    one, two = (sorted(entry[:4] for entry in everything(tmp_path / name)) for name in ("one", "two"))
    assert two == one
    first, second = (list(read(tmp_path / name, ANSWERS, Detection2DArray)) for name in ("one", "two"))
    assert second == first


def test_images_without_a_picture_are_counted_and_strange_types_are_copied(tmp_path, frames, capsys):
    strange = to_image(frames[0], header(BEGIN))
    strange.encoding = "jellyfish"
    with Recorder(tmp_path / "in", StoragePlugin.MCAP) as recorder:
        recorder.write(CAMERA, strange, BEGIN)
        recorder.write(CAMERA, strange, BEGIN + 1, b"\x00\x01\x00\x00\x07")
        recorder.write(CAMERA, to_image(frames[0], header(0)), BEGIN + 2)
        recorder.write("/mine", None, BEGIN + 3, b"\x00\x01\x00\x00\x07\x00\x00\x00", "my_msgs/msg/Mine")
    assert main([str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    told = capsys.readouterr().err
    assert "1 images, 1 faces, 2 unreadable" in told and told.count("left out") == 1 and "jellyfish" in told
    assert set(everything(tmp_path / "in")) < set(everything(tmp_path / "out"))
    ((_, array),) = read(tmp_path / "out", ANSWERS, Detection2DArray)
    assert array.header == header(0) and len(array.detections) == 1


@pytest.mark.parametrize(("storage", "damage"), [("MCAP", 3_000_000), ("SQLITE3", 300_000)])
def test_a_bag_that_is_damaged_on_the_way_leaves_a_valid_one(tmp_path, frames, storage, damage, capsys):
    bag = record(tmp_path / "in", frames[:12], StoragePlugin[storage])
    (file,) = (path for path in bag.iterdir() if path.suffix != ".yaml")
    with file.open("r+b") as content:
        content.seek(file.stat().st_size // 2)
        content.write(b"\xa5" * damage)
    assert main([str(bag), str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert "is damaged from here on" in told and "ros2 bag reindex" in told
    assert 0 < len(list(read(tmp_path / "out", ANSWERS, Detection2DArray))) < 12


@pytest.mark.parametrize(
    ("storage", "complaint"), [("MCAP", "File end magic"), ("SQLITE3", "malformed"), ("MCAP", "no bag")]
)
def test_a_bag_that_cannot_be_read_is_told(tmp_path, frames, storage, complaint, capsys):
    bag = record(tmp_path / "in", frames[:3], StoragePlugin[storage])
    (file,) = (path for path in bag.iterdir() if path.suffix != ".yaml")
    file.write_bytes(file.read_bytes()[:-200_000])
    path = tmp_path / "nowhere" if complaint == "no bag" else file
    assert main([str(path), str(tmp_path / "out")]) == 1
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_topic_is_chosen_and_nothing_is_overwritten(tmp_path, frames, capsys):
    with Recorder(tmp_path / "in", StoragePlugin.MCAP) as recorder:
        for topic in ("/left/image_raw", "/right/image_raw"):
            recorder.write(topic, to_image(frames[0], header(BEGIN)), BEGIN)
    command = [str(tmp_path / "in"), str(tmp_path / "out")]
    assert main(command) == 1
    assert (
        "several image topics: --topic with one of /left/image_raw, /right/image_raw"
        in capsys.readouterr().err
    )
    assert main([*command, "--topic", "/up"]) == 1
    assert "'/up' is no image topic" in capsys.readouterr().err
    assert main([*command, "--topic", "/left/image_raw"]) == 0
    assert main([*command, "--topic", "/left/image_raw"]) == 1
    assert "exists already" in capsys.readouterr().err


def test_ctrl_c_leaves_a_valid_bag(tmp_path, frames):
    bag = record(tmp_path / "in", frames * 4, StoragePlugin.MCAP, compressed=True)
    command = [sys.executable, "-m", "mask_detector", "bag", str(bag), str(tmp_path / "out")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 30
    while not list(tmp_path.glob("out/*.mcap")) and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in told and "valid" in told
    assert 0 < len(list(read(tmp_path / "out", ANSWERS, Detection2DArray))) < 4 * len(frames)


def test_missing_rosbags_is_told_with_the_cure(tmp_path):
    code = "import sys; sys.modules['rosbags'] = None; from mask_detector.bag import main; sys.exit(main([]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and "pip install rosbags" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_a_compressed_bag_is_read(tmp_path, frames, mode):
    with Recorder(tmp_path / "in", StoragePlugin.SQLITE3, mode) as recorder:
        recorder.write(CAMERA, to_image(frames[0], header(BEGIN)), BEGIN)
    assert main([str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    ((_, array),) = read(tmp_path / "out", ANSWERS, Detection2DArray)
    assert array.header == header(BEGIN) and len(array.detections) == 1


def test_a_topic_in_two_parts_is_one_in_the_copy(tmp_path, frames):
    other = CAMERA[:-1] + "x"
    with Recorder(tmp_path / "in", StoragePlugin.MCAP) as recorder:
        for index, topic in enumerate([CAMERA, other] * 2):
            taken = BEGIN + index * 10**8
            recorder.write(topic, to_image(frames[index], header(taken)), taken)
    merged = tmp_path / "merged.mcap"  # as tools that merge bags leave it, but rosbags does not write
    merged.write_bytes((tmp_path / "in" / "in.mcap").read_bytes().replace(other.encode(), CAMERA.encode()))
    assert main([str(merged), str(tmp_path / "out")]) == 0
    assert len(list(read(tmp_path / "out", CAMERA, ImageMsg))) == 4
    assert len(list(read(tmp_path / "out", ANSWERS, Detection2DArray))) == 4


def test_with_blurred_faces_no_message_with_a_picture_in_it_is_copied(tmp_path, frames, capsys):
    rgbd = f"sensor_msgs/Image rgb # colours\n{80 * '='}\nMSG: sensor_msgs/Image\nuint8[] data"
    kinds = {"/rgbd": rgbd, "/pose": "# of the image\nfloat64 x", "/unknown": ""}
    with Writer(tmp_path / "in", version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        camera = writer.add_connection(CAMERA, "sensor_msgs/msg/Image", typestore=TYPES)
        writer.write(camera, BEGIN, serialize_message(to_image(frames[0], header(BEGIN))))
        for topic, definition in kinds.items():
            kind = f"my_msgs/msg/{topic[1:].title()}"
            one = writer.add_connection(topic, kind, msgdef=definition, rihs01="RIHS01_" + 64 * "a")
            writer.write(one, BEGIN + 1, b"\x00\x01\x00\x00\x07\x00\x00\x00")
    assert main([str(tmp_path / "in"), str(tmp_path / "out"), "--blur-faces"]) == 0
    with Reader(tmp_path / "out") as reader:
        copied = {one.topic for one in reader.connections}
    assert copied & {CAMERA, *kinds} == {"/pose"}
    assert f"may show faces: {CAMERA}, /rgbd, /unknown" in capsys.readouterr().err


def test_people_settle_by_the_time_of_recording_where_stamps_stand_still(tmp_path, frames, capsys):
    with Recorder(tmp_path / "in", StoragePlugin.MCAP) as recorder:
        for index in range(50):
            recorder.write(CAMERA, to_image(frames[0], header(BEGIN)), BEGIN + index * 10**8)
    assert main([str(tmp_path / "in"), str(tmp_path / "out")]) == 0
    assert len(list(read(tmp_path / "out", CHANGES, Detection2DArray))) == 1
    assert "stand still" in capsys.readouterr().err
