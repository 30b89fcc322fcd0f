"""A live page in the browser, reports of what was seen, and a labelling loop.

ROS stands at one edge (`ros_node`), the web at the other (`server`, `pages`); between them stands what
is known right now (`live`) and what was (`history`), which know neither.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the viewer; return the exit code."""
    try:
        from mask_detector.viewer.command import main as run
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        print(
            "viewer: aiohttp is missing: sudo apt install python3-aiohttp, or pip install aiohttp",
            file=sys.stderr,
        )
        return 1
    return run(arguments)
