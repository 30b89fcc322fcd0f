"""What tests share: pictures that the project may ship, and the folder of real ones where it is."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# One graph for each test run, seen on this machine only; both are read when rclpy starts.
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"

import cv2  # noqa: E402
import installation  # noqa: E402
import pytest  # noqa: E402

from mask_detector.crops import Image  # noqa: E402
from mask_detector.transport import transport_environment  # noqa: E402

os.environ.update(transport_environment())

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images, from MASK_DETECTOR_DATA or beside the checkout."""
    folder = Path(os.environ.get("MASK_DETECTOR_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "scenes_val.json").is_file():
        pytest.skip(f"no real images in {folder}; MASK_DETECTOR_DATA may name another folder")
    return folder


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> installation.Installed:
    """The package, built and installed by colcon."""
    return installation.build(tmp_path_factory.mktemp("workspace"))


@pytest.fixture
def astronaut() -> Image:
    """A BGR picture of 512x512 with one bare face, at about (178, 63), 90 wide and 113 high."""
    return cv2.imread(str(REPOSITORY / "mask_detector" / "data" / "astronaut.jpg"))


# The nodes' fixtures import ROS only when they are asked for: training is tested without it too.


@pytest.fixture
def probe() -> Iterator[Any]:
    """A `graph.Probe` that collects what the detector says."""
    from graph import Probe
    from vision_msgs.msg import Detection2DArray

    with Probe() as probe:
        probe.subscribe(Detection2DArray, "/mask_detector/detections")
        yield probe


@pytest.fixture
def publisher(probe: Any) -> Any:
    """What sends images to the detector."""
    from sensor_msgs.msg import Image

    return probe.node.create_publisher(Image, "/image", 1)


@pytest.fixture
def detector(tmp_path: Path) -> Iterator[Any]:
    """A detector node with its defaults, a `graph.Process`."""
    from graph import running

    with running("detector", log=tmp_path / "detector.log") as process:
        yield process
