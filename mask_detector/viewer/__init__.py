"""A live page in the browser, reports of what was seen, and a labelling loop.

ROS stands at one edge (`ros_node`), the web at the other (`server`, `pages`); between them stands what
is known right now (`live`) and what was (`history`), which know neither.
"""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the viewer; return the exit code."""
    from mask_detector.viewer.command import main as run

    return run(arguments)
