"""The SROS 2 policy against the running node, and what keeps a model file from doing harm."""

import ast
import json
import re
import shutil
import zipfile
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from graph import Probe, Process, running
from rclpy.node import Node
from sensor_msgs.msg import Image as ImageMsg
from vision_msgs.msg import Detection2DArray

from mask_detector.errors import ModelError
from mask_detector.messages import to_image
from mask_detector.model_store import load_manifest, verified

REPOSITORY = Path(__file__).resolve().parents[1]
NODE = ("mask_detector", "/")
POLICY = REPOSITORY / "config" / "sros2_policy.xml"
SOURCES = [*(REPOSITORY / "mask_detector").rglob("*.py"), *(REPOSITORY / "training").rglob("*.py")]


def allowed(kind: str, permission: str) -> set[str]:
    """The names that the policy allows, resolved for the node of its one profile."""
    (profile,) = ElementTree.parse(POLICY).getroot().iter("profile")
    own = f"{profile.get('ns').rstrip('/')}/{profile.get('node')}"
    names = {
        entry.text
        for group in profile.iter(kind)
        if group.get(permission) == "ALLOW"
        for entry in group
    }  # fmt: skip
    return {name.replace("~", own) if name[0] in "~/" else f"{profile.get('ns')}{name}" for name in names}


def test_the_policy_allows_what_the_node_does_and_no_more(tmp_path):
    seen: dict[str, set[str]] = {"subscriber": set(), "publisher": set(), "service": set(), "client": set()}

    def look(node: Node) -> bool:
        for kind, names in seen.items():
            found = getattr(node, f"get_{kind}_names_and_types_by_node")(*NODE)
            names |= {name for name, _ in found}
        return "/mask_detector/enable" in seen["service"] and "/image" in seen["subscriber"]

    parameters = ["-p", "use_sim_time:=true"]
    for transport in ("compressed", "raw"):
        arguments = ["--ros-args", *parameters, "-p", f"image_transport:={transport}"]
        topic = "/image" if transport == "raw" else "/image/compressed"
        with Probe() as probe, running("detector", *arguments, log=tmp_path / "log"):
            probe.until(lambda: probe.node.count_subscribers(topic), "the node to be active")  # noqa: B023
            probe.spin(1.0)
            look(probe.node)
    assert seen["publisher"] == {name for name in allowed("topics", "publish") if not of_faces(name)}
    assert seen["subscriber"] == allowed("topics", "subscribe")
    assert seen["service"] == allowed("services", "reply")
    assert seen["client"] == allowed("services", "request") == set()


def of_faces(topic: str) -> bool:
    return topic.startswith("/humans/")


@pytest.mark.skipif(not find_spec("hri_msgs"), reason="hri_msgs is not installed; there are no wheels of it")
def test_the_policy_allows_the_topics_of_faces_and_no_more(tmp_path, astronaut):
    arguments = ["detector", "--ros-args", "-p", "ros4hri:=true"]
    with Probe() as probe, running(*arguments, log=tmp_path / "log"):
        camera = probe.node.create_publisher(ImageMsg, "/image", 1)
        probe.subscribe(Detection2DArray, "/mask_detector/detections")
        probe.ask(camera, to_image(astronaut, probe.header()), "/mask_detector/detections")

        def published() -> set[str]:
            names = {name for name, _ in probe.node.get_publisher_names_and_types_by_node(*NODE)}
            return {name for name in names if of_faces(name)}

        topics = probe.until(lambda: len(published()) == 2 and published(), "the topics of a face")
    patterns = {name for name in allowed("topics", "publish") if of_faces(name)}
    assert {pattern for topic in topics for pattern in patterns if fnmatchcase(topic, pattern)} == patterns


def test_nothing_is_unpickled_and_no_code_is_made_from_data():
    forbidden = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}
    for path in SOURCES:
        for entry in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(entry, ast.Import):
                names = [name.name.split(".")[0] for name in entry.names]
            elif isinstance(entry, ast.ImportFrom):
                names = [(entry.module or "").split(".")[0]]
            elif isinstance(entry, ast.Call) and isinstance(entry.func, ast.Name):
                assert entry.func.id not in ("eval", "exec"), path
            elif isinstance(entry, ast.keyword) and entry.arg == "allow_pickle":
                assert entry.value.value is False, path
            elif isinstance(entry, ast.Attribute) and ast.unparse(entry.value) == "yaml":
                assert entry.attr not in ("load", "unsafe_load", "full_load"), path
            assert not forbidden & set(names), path


def test_every_file_of_the_manifest_is_read_only_after_its_hash_was_checked():
    """`verified` is the one way to a shipped file, and every file in models/ that runs is in the manifest."""
    manifest = load_manifest()
    stated = set(re.findall(r'"path": "([^"]+)"', json.dumps(manifest.entries)))
    runnable = {".tflite", ".onnx", ".keras", ".h5", ".pb", ".pt", ".pkl"}
    there = {path.name for path in manifest.folder.iterdir() if path.suffix in runnable}
    assert there == stated
    for file in [
        file for name in manifest.entries["classifiers"] for file in manifest.classifier(name).files.values()
    ]:
        assert verified(file) == file.path


def test_a_keras_file_that_carries_code_is_refused(tmp_path):
    """A Lambda layer is a function in the file: safe mode does not run it."""
    keras_module = pytest.importorskip("mask_detector.classifiers.keras")
    import keras

    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda values: values * 2)(inputs))
    path = tmp_path / "code.keras"
    model.save(path)
    assert "function" in zipfile.ZipFile(path).read("config.json").decode()
    with pytest.raises(ModelError, match="code.keras"):
        keras_module.Keras(load_manifest().classifier(), path, 1)


@pytest.mark.parametrize("kind", ["litert", "opencv"])
def test_a_model_that_is_cut_short_after_it_was_loaded_does_no_harm(kind, tmp_path):
    """A file that is mapped would end the process with a bus error."""
    import numpy as np

    from mask_detector.classifiers import litert, opencv

    info = load_manifest().classifier()
    path = Path(shutil.copy(info.files[kind].path, tmp_path))
    classifier = {"litert": litert.LiteRT, "opencv": opencv.OpenCV}[kind](info, path, 2)
    crop = np.full((1, info.input_size, info.input_size, 3), 90, np.uint8)
    before = classifier.classify(crop)
    path.write_bytes(b"")
    crowd = classifier.classify(np.repeat(crop, 5, axis=0))  # by more networks than were loaded before
    np.testing.assert_allclose(crowd, np.repeat(before, 5, axis=0), atol=1e-6)


def test_a_keystore_that_is_missing_is_told_in_a_line(tmp_path, monkeypatch):
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
    monkeypatch.setenv("ROS_SECURITY_STRATEGY", "Enforce")
    monkeypatch.setenv("ROS_SECURITY_KEYSTORE", str(tmp_path / "nowhere"))
    process = Process(["detector"], tmp_path / "log")
    assert process.wait() == 1
    assert "ROS cannot" in process.output and "Traceback" not in process.output
