"""Set up `.venv` with real ROS 2 from Python wheels, vision_msgs and this package.

Run by `make`; needs nothing but Python itself. Every step leaves a stamp when it is complete, so
an interrupted run goes on where it stopped and a finished one returns at once. Packages are kept
as wheels in a cache folder: with them a new checkout is set up without a network.
"""

from __future__ import annotations  # an older Python must get as far as being refused

import argparse
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"
PYTHONS = ((3, 10), (3, 13))
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "mask_detector"


class SetupError(Exception):
    """Something is missing on this machine; the message says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", action="store_true", help="also install what tests and training need")
    arguments = parser.parse_args()
    try:
        check_machine()
        with only_one_at_a_time():
            install(arguments.tests)
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from here")
        return 130
    return 0


def install(tests: bool) -> None:
    """Run the steps whose inputs have changed since they were last completed."""
    step("environment", [], create_environment)
    step("packages", [HERE / "runtime.txt"], lambda: install_packages(HERE / "runtime.txt"))
    definitions = sorted((HERE / "vision_msgs").rglob("*.*"))
    step("vision_msgs", [HERE / "runtime.txt", *definitions], build_vision_msgs)
    step("mask_detector", [REPOSITORY / "setup.py", REPOSITORY / "package.xml"], install_this_package)
    if tests:
        step("test packages", [HERE / "test.txt"], lambda: install_packages(HERE / "test.txt"))


def say(text: str) -> None:
    """Tell people something; standard output belongs to what `make demo` prints."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)


def step(name: str, inputs: list[Path], action: Callable[[], None]) -> None:
    """Run `action` unless its stamp shows that it was completed with the same inputs."""
    digest = hashlib.sha256(sys.version.encode())
    digest.update(str(VENV).encode())  # scripts in a moved environment point to its old place
    for path in inputs:
        digest.update(path.read_bytes())
    stamp = VENV / ".steps" / name.replace(" ", "_")
    if stamp.is_file() and stamp.read_text() == digest.hexdigest():
        return
    say(f"{name} …")
    action()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest.hexdigest())


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Let a second `make` wait for the first instead of writing into the same environment."""
    try:
        lock = (REPOSITORY / ".setup.lock").open("w")
    except OSError as error:
        raise SetupError(
            f"{REPOSITORY} cannot be written by you ({error.strerror}): make a checkout of your own"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check_machine() -> None:
    """Raise SetupError for what no later step could mend."""
    machine = f"{platform.system()} {platform.machine()}"
    if machine != "Linux x86_64" or platform.libc_ver()[0] != "glibc":
        found = f"{machine} with {platform.libc_ver()[0] or 'another libc'}"
        raise SetupError(
            f"this machine is {found}, and ROS 2 wheels exist for Linux x86_64 with glibc only: "
            "use a ROS 2 machine and colcon instead (README, 'On a ROS 2 machine')"
        )
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        version = platform.python_version()
        raise SetupError(f"Python {version} is not supported, 3.10 to 3.13 is: make demo PYTHON=python3.12")
    if set(str(REPOSITORY)) & set("'\"\\$;"):
        raise SetupError(
            f"the path of this checkout, {REPOSITORY}, has a quote or the like: move it; spaces are fine"
        )
    missing = list(missing_tools())
    if missing:
        raise SetupError("missing on this machine:\n" + "\n".join(f"  - {line}" for line in missing))


def missing_tools() -> Iterator[str]:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not any(map(shutil.which, filter(None, [os.environ.get("CXX"), "c++", "g++", "clang++"]))):
        yield "a C++ compiler: sudo apt install g++ (Debian, Ubuntu), sudo dnf install gcc-c++ (Fedora)"
    if not shutil.which("make"):
        yield "make: sudo apt install make"
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        yield f"the Python headers: sudo apt install python{version}-dev, sudo dnf install python3-devel"
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        yield f"the venv module: sudo apt install python{version}-venv"


def create_environment() -> None:
    # Not sys.executable: this may run on the Python of the very environment that is made anew.
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.rmtree(VENV, ignore_errors=True)
    command = [str(base if base.is_file() else sys.executable), "-m", "venv", str(VENV)]
    run(command, "the environment could not be made; the reason is above")


def install_packages(requirements: Path) -> None:
    """Fetch the wheels once for this machine, then install from that folder alone."""
    content = requirements.read_bytes() + sys.version.encode()
    wheels = CACHE / f"{requirements.stem}-{hashlib.sha256(content).hexdigest()[:16]}"
    if not (wheels / "complete").is_file():
        say(f"fetching packages into {wheels}")
        command = [*pip("download"), "--dest", str(wheels), "-r", str(requirements)]
        run(command, f"packages could not be fetched; pip says why above (often: no network). {DISK_HINT}")
        (wheels / "complete").touch()
    command = [*pip("install"), "--no-index", "--find-links", str(wheels), "-r", str(requirements)]
    run(
        command,
        f"packages could not be installed from {wheels}: remove that folder and try again. {DISK_HINT}",
    )


DISK_HINT = "About 1 GB of disk is needed, 3 GB for the tests. The same command goes on from here"


def build_vision_msgs() -> None:
    """Generate vision_msgs with the real rosidl generators, into the environment."""
    use_own_headers()
    build = VENV / "build"
    shutil.rmtree(build / "vision_msgs", ignore_errors=True)  # a half-made build may not go on
    command = [str(VENV / "bin/colcon"), "--log-base", str(build / "log"), "build"]
    command += ["--base-paths", str(HERE / "vision_msgs"), "--build-base", str(build)]
    command += ["--merge-install", "--install-base", str(VENV)]
    command += ["--cmake-args", "-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release"]
    prefix = {"AMENT_PREFIX_PATH": str(VENV), "CMAKE_PREFIX_PATH": str(VENV), "PYTHONPATH": ""}
    path = f"{VENV / 'bin'}:{os.environ['PATH']}"
    log = build / "vision_msgs.log"
    build.mkdir(exist_ok=True)
    with log.open("w") as output:
        run(command, f"vision_msgs could not be built: see {log}", {**prefix, "PATH": path}, output)


def use_own_headers() -> None:
    """Replace the include paths of the machine that made the ROS wheels with this machine's."""
    numpy_headers = output_of([str(PYTHON), "-c", "import numpy; print(numpy.get_include())"])
    python_headers = output_of([str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('include'))"])
    prefix = r"/opt/python/cp\d+-cp\d+"
    for path in VENV.glob("share/*/cmake/*.cmake"):
        text = path.read_text()
        mended = re.sub(prefix + r"/lib/python3\.\d+/site-packages/numpy/_core/include", numpy_headers, text)
        mended = re.sub(prefix + r"/include/python3\.\d+", python_headers, mended)
        if mended != text:
            path.write_text(mended)


def install_this_package() -> None:
    command = [
        *pip("install"),
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--editable",
        str(REPOSITORY),
    ]
    run(command, "this package could not be installed")


def pip(verb: str) -> list[str]:
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", verb, "--quiet", "--progress-bar", "off"]


def run(
    command: list[str], failure: str, environment: dict[str, str] | None = None, output: IO[str] | None = None
) -> None:
    environment = {**os.environ, **(environment or {})}
    done = subprocess.run(
        command, env=environment, cwd=REPOSITORY, stdout=output or sys.stderr, stderr=output or sys.stderr
    )
    if done.returncode:
        raise SetupError(failure)


def output_of(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
