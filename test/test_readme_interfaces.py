"""What the README says of examples, launch files, bags and quality of service, against the running nodes."""

import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from graph import Probe, running
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo
from test_readme import README, rows

from mask_detector.__main__ import _EXECUTABLES
from mask_detector.bag.annotator import OUR_TOPICS
from mask_detector.detector_parameters import PARAMETERS

REPOSITORY = Path(__file__).resolve().parents[1]
ARGUMENTS = set(re.findall(r'_argument\("(\w+)"', (REPOSITORY / "launch" / "detect.launch.py").read_text()))
ARGUMENTS |= {entry.name for entry in PARAMETERS if entry.name in ("face_detector", "classifier", "runtime")}
ARGUMENTS |= {"image_transport"}


def chapter(title: str) -> str:
    return README.split(f"### {title}\n", 1)[1].split("\n##", 1)[0]


@pytest.mark.parametrize("example", ["greeter", "gate"])
def test_an_example_hears_and_says_what_is_told(tmp_path, example):
    (told,) = (row for row in rows("example") if row[0].startswith(f"[{example}]"))
    heard = re.findall(r"`([^`]+)`", told[1])
    said, kind = re.fullmatch(r"`([^`]+)` \((\w+/\w+).*\)", told[2]).groups()
    with Probe() as probe, running(example, log=tmp_path / "log"):
        probe.until(lambda: all(probe.node.count_subscribers(f"/{topic}") for topic in heard), "the example")
        (publisher,) = probe.until(
            lambda: probe.node.get_publishers_info_by_topic(f"/{said}"), "what it publishes"
        )
    assert publisher.topic_type == kind.replace("/", "/msg/")
    latched = publisher.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
    assert latched == ("latched" in told[2])


def test_the_quality_of_service_is_as_it_is_told(tmp_path):
    def endpoints(topic: str) -> list[TopicEndpointInfo]:
        graph = probe.node
        return graph.get_publishers_info_by_topic(topic) + graph.get_subscriptions_info_by_topic(topic)

    told = {
        "/" + re.sub("^~/", "mask_detector/", name).lstrip("/"): text
        for names, _, text in rows("topic")
        for name in re.findall(r"`([^`]+)`", names)
        if name not in ("image/compressed", "~/enable")
    }
    with Probe() as probe, running("detector", log=tmp_path / "log"):
        probe.until(lambda: endpoints("/image"), "the detector")
        for topic, text in told.items():
            (endpoint,) = probe.until(lambda topic=topic: endpoints(topic), topic)
            best_effort = endpoint.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
            latched = endpoint.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
            assert best_effort == ("best effort" in text), topic
            assert latched == ("latched" in text), topic
    assert "`~/state_changes` (reliable)" in README


def test_ranges_that_are_told_are_those_of_the_parameters():
    table = {entry.name: entry for entry in PARAMETERS}
    told = [(names, re.search(r"(\d+) to (\d+)", text)) for names, _, text in rows("parameter")]
    ranges = [(re.findall(r"`(\w+)`", names), found) for names, found in told if found]
    assert ranges
    for names, found in ranges:
        for name in names:
            assert (table[name].low, table[name].high) == tuple(map(float, found.groups()))


def test_launch_arguments_that_are_told_exist():
    told = set(re.findall(r"\b(\w+):=", chapter("Launch"))) - {"cameras"}
    assert {"source", "camera", "namespace", "respawn"} <= told <= ARGUMENTS
    (example,) = re.findall(r"```yaml\n(.*?)```", chapter("Launch"), re.DOTALL)
    for text in (example, (REPOSITORY / "config" / "cameras.yaml").read_text()):
        for entry in yaml.safe_load(text).values():
            assert entry.keys() <= ARGUMENTS


def test_the_topics_of_a_bag_are_told():
    for topic in OUR_TOPICS:
        assert f"`{topic}`" in chapter("Recorded bags")


def test_every_executable_is_there_for_both_worlds():
    entries = re.findall(r'"(\w+) = ([\w.]+):main"', (REPOSITORY / "setup.py").read_text())
    assert {name for name, _ in entries} == _EXECUTABLES.keys() - {"demo"}
    for name, module in entries:
        assert module == f"mask_detector.{_EXECUTABLES[name][0]}"
        assert callable(import_module(module).main)
        assert f"mask_detector {name}" in README
