"""Draw masks onto pictures of bare faces: pose, outline, cloth, light, and how they come together."""

from training.masks.draw import draw_mask
from training.masks.frame import FaceFrame, face_frame, refusal
from training.masks.ways import WAYS

__all__ = ["WAYS", "FaceFrame", "draw_mask", "face_frame", "refusal"]
