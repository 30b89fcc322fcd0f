"""The configuration for diagnostic_aggregator, by the rules of its GenericAnalyzer (diagnostics 4, Jazzy)."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

CONFIG = Path(__file__).resolve().parents[1] / "config" / "diagnostics.yaml"
_NODE = "analyzers"  # the name that aggregator_node gives itself
_OF_NODE = {"pub_rate": float, "path": str, "other_as_errors": bool, "history_depth": int, "critical": bool}
_OF_ANALYZER = {
    "type": str, "path": str, "timeout": float, "num_items": int, "discard_stale": bool,
    "find_and_remove_prefix": list, "remove_prefix": list, "startswith": list, "contains": list,
    "expected": list, "regex": list,
}  # fmt: skip


def analyzer() -> dict[str, Any]:
    """Return the parameters of our analyzer."""
    return yaml.safe_load(CONFIG.read_text())[_NODE]["ros__parameters"]["mask_detector"]


def takes(analyzer: dict[str, Any], name: str) -> bool:
    """Tell whether a GenericAnalyzer takes a DiagnosticStatus of this name."""
    begins = analyzer.get("startswith", []) + analyzer.get("find_and_remove_prefix", [])
    return (
        name in analyzer.get("expected", [])
        or any(name.startswith(start) for start in begins)
        or any(part in name for part in analyzer.get("contains", []))
        or any(re.fullmatch(pattern, name) for pattern in analyzer.get("regex", []))
    )


def test_each_parameter_is_known_and_of_the_type_that_is_read():
    """A wrong type ends aggregator_node; a name that it does not know is ignored without a word."""
    content = yaml.safe_load(CONFIG.read_text())
    assert list(content) == [_NODE] and list(content[_NODE]) == ["ros__parameters"]
    of_node = content[_NODE]["ros__parameters"]
    analyzers = {name: value for name, value in of_node.items() if isinstance(value, dict)}
    for values, kinds in [(of_node, _OF_NODE), *((one, _OF_ANALYZER) for one in analyzers.values())]:
        for name, value in values.items():
            if name not in analyzers:
                assert type(value) is kinds[name], name
    assert [one["type"] for one in analyzers.values()] == ["diagnostic_aggregator/GenericAnalyzer"]
    assert all(type(entry) is str for entry in analyzer()["contains"])


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("mask_detector: images", True),
        ("left/mask_detector: detections", True),
        ("usb_cam: Camera", False),
        ("unmask_detectors: x", False),
    ],
)
def test_the_analyzer_takes_what_detectors_say_and_nothing_else(name, ours):
    assert takes(analyzer(), name) == ours
