"""Tell by a few characters whether labels or pictures have changed since crops were cut from them.

Pictures count by name and size, and not by time: a copy of the data is the same data.
"""

import json
import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from training.data import scene_pictures


def of_scenes(path: Path) -> str:
    """Return the fingerprint of a COCO file and of the pictures that it lists."""
    return of_pictures(scene_pictures(path), path.parent, path.read_bytes())


def of_pictures(pictures: Iterable[Path], root: Path, more: bytes = b"") -> str:
    """Return the fingerprint of pictures, by their names from `root` on; one that is missing has no size."""
    listed = [
        (os.path.relpath(path, root), path.stat().st_size if path.is_file() else None) for path in pictures
    ]
    return sha256(json.dumps(sorted(listed)).encode() + more).hexdigest()
