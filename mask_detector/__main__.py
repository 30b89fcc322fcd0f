"""`python -m mask_detector NAME …`: the executables without ROS's own `ros2 run`."""

import sys
from importlib import import_module

_EXECUTABLES = {
    "detector": ("detector_node", "the detector node; takes ROS arguments"),
    "camera": ("camera_node", "a camera node for videos, pictures, webcams and streams; takes ROS arguments"),
    "annotate": ("annotate", "pictures, videos and webcams without ROS; see annotate --help"),
    "bag": ("bag", "detections and annotated images into a copy of a recorded bag; see bag --help"),
    "greeter": ("behaviours.greeter", "example of a behaviour: greets people and asks for masks"),
    "gate": ("behaviours.gate", "example of a behaviour: opens only for people with masks"),
    "viewer": ("viewer", "a live page in the browser; see viewer --help"),
    "demo": ("demo", "camera, detector and recorder together; see demo --help"),
}

_BATCHES = ("annotate", "bag")  # have something to finish; to end the others with Ctrl-C is no failure


def main() -> int:
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name not in _EXECUTABLES:
        return _usage(name)
    module, _ = _EXECUTABLES[name]
    try:
        return import_module(f"mask_detector.{module}").main(sys.argv[2:])
    except KeyboardInterrupt:  # before there was anything to end in good order
        return 130 if name in _BATCHES else 0


def _usage(name: str) -> int:
    wanted = name in ("-h", "--help")
    lines = [f"  {name:10} {purpose}" for name, (_, purpose) in _EXECUTABLES.items()]
    complaint = "" if wanted else f"'{name}' is none of the executables.\n"
    print(
        complaint + "python -m mask_detector NAME …\n\n" + "\n".join(lines),
        file=sys.stdout if wanted else sys.stderr,
    )
    return 0 if wanted else 2


if __name__ == "__main__":
    sys.exit(main())
