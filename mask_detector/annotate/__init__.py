"""The executable `annotate`: pictures, folders, videos, webcams and streams without ROS."""

from mask_detector.annotate.command import main

__all__ = ["main"]
