"""Where results go: lines of JSON, annotated pictures and annotated videos."""

from mask_detector.outputs.lines import JsonLines, frame_line, holds_something_else, read_json_lines
from mask_detector.outputs.pictures import VideoWriter, write_picture

__all__ = [
    "JsonLines",
    "VideoWriter",
    "frame_line",
    "holds_something_else",
    "read_json_lines",
    "write_picture",
]
