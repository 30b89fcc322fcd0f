"""`bag`: what the detector sees in a recorded bag, at full speed, without a graph."""

import sys

_INSTALL = "pip install rosbags (on a ROS 2 machine: pip install --break-system-packages rosbags 'numpy<2')"


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    try:
        import rosbags  # noqa: F401  (the one package of this project that no ROS machine brings)
    except ImportError:
        print(f"bag: needs rosbags: {_INSTALL}", file=sys.stderr)
        return 1
    from mask_detector.bag.command import main as run

    return run(argv)
