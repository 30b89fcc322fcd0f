"""Which picture a label file is of: names repeat in the folders of most collections.

They lie beside each other, or in folders alike: `train/images` and `train/labels`, `images/val` and
`labels/val`, `Annotations` and `JPEGImages`. So the nearest of a name is meant, and it must be so from both
sides: labels whose picture is gone are not those of its namesake elsewhere.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from training.data import Refused


def paired(candidates: Mapping[Path, Sequence[Path]], refused: Refused) -> dict[Path, Path]:
    """Return the picture of each label file, given all pictures that have the name it asks for.

    A label file without a picture, or with several as near as each other, is refused.
    """
    asked_by = defaultdict(list)
    for label, pictures in candidates.items():
        for picture in pictures:
            asked_by[picture].append(label)
    labels_of = {picture: set(nearest(picture, labels)) for picture, labels in asked_by.items()}
    found = {}
    for label, pictures in candidates.items():
        near = [picture for picture in nearest(label, pictures) if label in labels_of[picture]]
        if len(near) == 1 and len(labels_of[near[0]]) > 1:
            refused.add("several label files claim its picture", str(label))
        elif len(near) == 1:
            found[label] = near[0]
        else:
            refused.add("several pictures have its name" if near else "picture is missing", str(label))
    return found


def nearest(path: Path, others: Sequence[Path]) -> list[Path]:
    """Return those files whose folders are the fewest steps from that of `path`."""
    ways = [_way(path.parent, other.parent) for other in others]
    least = min(ways, default=0)
    return [other for other, way in zip(others, ways, strict=True) if way == least]


@cache
def _way(folder: Path, other: Path) -> int:
    """Return how many parts of two folders' paths are in one of them alone."""
    return len(set(folder.parts) ^ set(other.parts))
