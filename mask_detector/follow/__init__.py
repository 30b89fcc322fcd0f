"""Follow people through a video: an id for each, and how the mask is worn once that is settled."""

from mask_detector.follow.people import LEFT, Following, People
from mask_detector.follow.video_detector import Seen, VideoDetector

__all__ = ["LEFT", "Following", "People", "Seen", "VideoDetector"]
