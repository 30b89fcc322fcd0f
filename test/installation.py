"""The package as colcon installs it, for tests that start it as ROS does."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from graph import Process

REPOSITORY = Path(__file__).resolve().parents[1]
NOT_SOURCES = (".*", "build", "install", "log", "runs", "demo_output", "*.egg-info", "__pycache__")


class InstalledProcess(Process):
    """A command in the environment of the installed package, in place of `python -m mask_detector`."""

    def __init__(self, command: Sequence[str], log: Path, environment: dict[str, str]) -> None:
        self._log = log
        self._process = subprocess.Popen(
            command, env=environment, stdout=log.open("w"), stderr=subprocess.STDOUT
        )


@dataclass(frozen=True)
class Installed:
    """What `colcon build` has made, and the environment of a shell that has sourced it."""

    prefix: Path
    python_path: Path
    environment: dict[str, str]

    @property
    def share(self) -> Path:
        return self.prefix / "share" / "mask_detector"

    def executable(self, name: str) -> str:
        """Return the path at which `ros2 run` looks for it."""
        return str(self.prefix / "lib" / "mask_detector" / name)

    @contextmanager
    def running(self, *command: str, log: Path) -> Iterator[Process]:
        """Run a command with the installed package for as long as the block lasts."""
        process = InstalledProcess(command, log, self.environment)
        try:
            yield process
        finally:
            process.stop()


def build(workspace: Path) -> Installed:
    """Let colcon build and install the package from a copy of the repository; skip where there is none."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    colcon = shutil.which("colcon", path=tools) or pytest.skip("colcon is not installed")
    source = shutil.copytree(REPOSITORY, workspace / "src", ignore=shutil.ignore_patterns(*NOT_SOURCES))
    environment = {**os.environ, "PATH": tools, "AMENT_PREFIX_PATH": _underlay(), "PYTHONPATH": ""}
    done = subprocess.run([colcon, "build"], cwd=source, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    prefix = source / "install" / "mask_detector"
    (python_path,) = (prefix / "lib").glob("python*/site-packages")
    environment["AMENT_PREFIX_PATH"] = os.pathsep.join([str(prefix), _underlay()])
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(python_path), os.environ.get("PYTHONPATH")])
    )
    return Installed(prefix, python_path, environment)


def _underlay() -> str:
    return os.environ.get("AMENT_PREFIX_PATH") or sys.prefix


def ros_packages() -> set[str]:
    """Return the names of all ROS packages that are installed here."""
    index = Path("share", "ament_index", "resource_index", "packages")
    return {path.name for prefix in _underlay().split(os.pathsep) for path in Path(prefix, index).glob("*")}
