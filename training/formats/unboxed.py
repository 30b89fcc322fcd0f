"""Pictures that come without boxes: folders named by class, MaskedFace-Net, and pictures of anybody.

Their labels are of whole pictures (`Unboxed`); `training.propose` finds the faces.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from training.data import Refused
from training.errors import TrainingError
from training.formats.base import UNLABELLED
from training.pictures import pictures_below

# 00012_Mask_Nose_Mouth.jpg: the number of a Flickr-Faces-HQ face, and what the drawn mask covers
_FACE = re.compile(
    r"(\d{5})(?:_(Mask(?:_Nose_Mouth|_Mouth_Chin|_Chin)?))?\.(?:jpe?g|png|webp)", re.IGNORECASE
)
_COVERED = {
    "": "ffhq",
    "mask": "cmfd",
    "mask_mouth_chin": "uncovered_nose",
    "mask_nose_mouth": "uncovered_chin",
    "mask_chin": "uncovered_nose_and_mouth",
}


@dataclass(frozen=True)
class Unboxed:
    """A picture with one label for it all, in the words of its collection."""

    path: Path
    label: str
    source: str
    person: str = ""


def read_folders(folder: Path, refused: Refused) -> list[Unboxed]:
    """Read a folder with a sub-folder of pictures for each class."""
    if not folder.is_dir():
        raise TrainingError(f"no folder {folder}: name one with a sub-folder for each class")
    found = []
    for part in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        pictures = list(pictures_below(part))
        if not pictures:
            refused.add("class folder without pictures", str(part))
        found += [Unboxed(path, part.name, folder.name) for path in pictures]
    if not found:
        raise TrainingError(f"{folder} has no sub-folder with pictures: make one for each class")
    return found


def read_pictures(folder: Path, refused: Refused) -> list[Unboxed]:
    """Read pictures of which nothing is known."""
    return [Unboxed(path, UNLABELLED, folder.name) for path in pictures_below(folder)]


def read_maskedface_net(folder: Path, refused: Refused) -> list[Unboxed]:
    """Read CMFD, IMFD and Flickr-Faces-HQ as published, below one folder.

    The same face is bare in one, and masked in the others: each is taken once, those with the
    least choice first, in the class that has the fewest so far, and the face's number is its person.
    """
    variants: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in pictures_below(folder):
        if match := _FACE.fullmatch(path.name):
            variants[match[1]][_COVERED[(match[2] or "").lower()]] = path
        else:
            refused.add("not named as MaskedFace-Net or Flickr-Faces-HQ name a face", str(path))
    if not variants:
        raise TrainingError(
            f"{folder} has no file such as 00000_Mask.jpg or 00000.png: name the right folder"
        )
    taken: Counter[str] = Counter()
    found = []
    for number, paths in sorted(variants.items(), key=lambda face: (len(face[1]), face[0])):
        label = min(paths, key=lambda name: (taken[_kind(name)], taken[name]))
        taken.update({label, _kind(label)})
        found.append(Unboxed(paths[label], label, "maskedface-net", f"ffhq:{number}"))
        for other in paths.keys() - {label}:
            refused.add("face that another picture shows already", str(paths[other]))
    return found


def _kind(label: str) -> str:
    """Return what counts as one class in balancing: the ways of wearing wrongly together."""
    return "wrong" if label.startswith("uncovered") else f"kind {label}"
