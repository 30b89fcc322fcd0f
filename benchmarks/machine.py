"""On what was measured: no figure means anything without it."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cv2

from mask_detector.runtimes import quick_at_bytes


def describe() -> dict[str, str]:
    """Return processor, cores, load and the versions that matter."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "models in": "int8" if quick_at_bytes() else "float32",
        "load": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "OpenCV": cv2.__version__,
        **{name: _version(name) for name in ("numpy", "ai-edge-litert", "tensorflow-cpu", "ros-jazzy-rclpy")},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not from PyPI"
