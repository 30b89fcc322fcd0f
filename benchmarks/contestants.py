"""Who is compared: how each is started, and what it is called in the tables."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SHARED_MODELS = Path(__file__).resolve().parents[2] / "shared" / "models"
_PEER = Path(os.environ.get("MASK_DETECTOR_PEER", _SHARED_MODELS / "peer_aizoo_face_mask_detection.tflite"))
OURS, CLASSIC = "ours", "classic"


@dataclass(frozen=True)
class Contestant:
    """A node that answers images.

    Attributes:
        name: its namespace, and its key in the results.
        title: what it is called in tables.
        module: what `python -m` runs.
        options: before ROS's own arguments; "{threads}" stands for the number of threads.
        parameters: of our own node.
    """

    name: str
    title: str
    module: str
    options: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    def arguments(self, threads: int) -> list[str]:
        """Return the command line after `python -m`."""
        options = [option.format(threads=threads) for option in self.options]
        parameters = [part for value in self.parameters for part in ("-p", value.format(threads=threads))]
        return [self.module, *options, "--ros-args", "-r", f"__ns:=/{self.name}", *parameters]


def contestants() -> Iterator[Contestant]:
    """Yield everybody who is here; say who is not."""
    node = "mask_detector"
    yield Contestant(OURS, "this project", node, ("detector",), ("threads:={threads}",))
    yield Contestant(CLASSIC, "classic: Haar + Keras MobileNetV2 1.0, 224 px", "benchmarks.recipe",
                     ("classic", "{threads}"))  # fmt: skip
    yield Contestant("yunet_tensorflow", "YuNet + our classifier in TensorFlow", node, ("detector",),
                     ("threads:={threads}", "face_detector:=yunet", "runtime:=keras"))  # fmt: skip
    if _PEER.is_file():
        yield Contestant("peer", "AIZOO's two-class SSD, 260 px (LiteRT)", "benchmarks.recipe",
                         (str(_PEER), "{threads}"))  # fmt: skip
    else:
        print(f"the published peer is left out: there is no {_PEER}; MASK_DETECTOR_PEER may name its file")
