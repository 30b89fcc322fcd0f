"""The README tells what the package does, and this sees that it tells the truth."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from graph import Probe, running

from mask_detector.camera_node import PARAMETERS as CAMERA_PARAMETERS
from mask_detector.detector_node import PARAMETERS
from mask_detector.image_conversion import ENCODINGS
from mask_detector.model_store import load_manifest
from mask_detector.parameters import Described
from mask_detector.viewer.options import PORT, make_parser

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text()


def rows(first_cell: str) -> list[list[str]]:
    """The cells of the table whose head begins with `first_cell`."""
    table = README.split(f"| {first_cell} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def written(value: object) -> str:
    if value == "":
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_the_detector_s_parameters_and_defaults_are_all_there():
    told: dict[str, tuple[str, bool]] = {}
    for names, default, _ in rows("parameter"):
        live = names.endswith("*")
        defaults = [one.strip() for one in default.split(",")]
        for name, value in zip(re.findall(r"`(\w+)`", names), defaults, strict=True):
            told[name] = (value, live)
    assert told == {entry.name: (written(entry.default), entry.live) for entry in PARAMETERS}


@pytest.mark.parametrize("parameter", CAMERA_PARAMETERS, ids=lambda entry: entry.name)
def test_the_camera_s_parameters_are_all_there(parameter: Described):
    chapter = README.split("### The camera node", 1)[1].split("\n#", 1)[0]
    assert f"`{parameter.name}`" in chapter


def test_the_detector_s_topics_and_services_are_those_of_the_running_node(tmp_path):
    told = {
        ("/" + re.sub("^~/", "mask_detector/", name).lstrip("/")): kind
        for names, kinds, _ in rows("topic")
        for name, kind in zip(re.findall(r"`([^`]+)`", names), kinds.split(", ") * 2, strict=False)
    }
    told = {name: kind.split("/")[-1] for name, kind in told.items() if name != "/image/compressed"}
    with Probe() as probe, running("detector", log=tmp_path / "log"):
        graph = probe.node
        probe.until(lambda: graph.count_subscribers("/image"), "the detector")
        probe.spin(1.0)
        found = {
            name: types[0].split("/")[-1]
            for name, types in graph.get_topic_names_and_types() + graph.get_service_names_and_types()
            if name.startswith("/mask_detector/") or name in ("/image", "/diagnostics")
        }
    standard = r"/(get|set|list|describe)_\w*parameter\w*$|/(get|change)_\w*state\w*$|/get_\w*transition\w*$"
    own = {
        name: kind for name, kind in found.items() if not re.search(f"{standard}|/transition_event$", name)
    }
    assert told == {name: kind for name, kind in own.items() if not name.endswith("type_description")}


def test_the_viewer_s_options_and_defaults_are_all_there():
    told: dict[str, str] = {}
    for options, defaults, _ in rows("option"):
        names = [text.split()[0] for text in re.findall(r"`([^`]+)`", options)]
        told |= dict(zip(names, re.findall(r"`([^`]+)`", defaults) or [""] * len(names), strict=True))
    parser = make_parser()
    assert told.pop("--port") == str(PORT)
    wanted = [action for action in parser._actions if action.dest not in ("help", "port")]
    values = {action.option_strings[0]: action.default for action in wanted}
    assert told == {
        name: f"{value:g}" if isinstance(value, float) else str(value or "") for name, value in values.items()
    }


def test_every_encoding_that_is_told_is_there():
    told = README.split("newest frame only; ", 1)[1].split(" |", 1)[0]
    for name in re.findall(r"\b(?:bgr|rgb|bgra|rgba|mono)\d+\b", told):
        assert name in ENCODINGS
    for group, size in (("yuv422", 2), ("bayer", 4)):
        assert group in told and sum(name.startswith(group) for name in ENCODINGS) == size


def test_the_example_in_python_runs():
    (code,) = re.findall(r"```python\n(import cv2.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.stdout.startswith("no_mask 0.9"), done.stderr


def test_the_classes_are_those_of_the_manifest():
    for class_id in load_manifest().class_ids:
        assert f"`{class_id}`" in README


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(link):
    assert (REPOSITORY / link).exists()
