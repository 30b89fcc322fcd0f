"""Rebuild the face detector: YuNet's architecture and weights, taught faces that wear masks."""
