"""Tell near-duplicates by a perceptual hash: scaled, re-encoded, retouched or mirrored copies.

The hash is the signs of the differences between neighbours in a thumbnail, across and down: 128 bits.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mask_detector.crops import Image
from training.pictures import picture_or_none

Hashes = NDArray[np.float32]

COPY = 8  # of 128 bits that differ at most between copies of one picture
NEAR = 14  # the same between pictures so alike that training must not share them with validation
_THUMBNAIL = 32  # pixels a side, in which a mask on a small face still shows
_CHANGED = 0.6  # of the standard deviation; in a thumbnail's pixel more than any copy changes
_BLOCK = 2048  # hashes compared at once


def signs(image: Image) -> Hashes:
    """Return the hash of a BGR or grey picture and of its mirror image, -1 and 1, shape (2, 128)."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.stack([_signs(grey), _signs(grey[:, ::-1])])


def picture_signs(path: Path) -> Hashes | None:
    """Return the hash of a picture file, None if it cannot be read."""
    grey = picture_or_none(path, cv2.IMREAD_REDUCED_GRAYSCALE_2)
    return None if grey is None else signs(grey)


def same_throughout(one: Path, other: Path) -> bool:
    """Tell whether two pictures, one maybe mirrored, differ nowhere as they do where a mask was put on."""
    first, second = (picture_or_none(path, cv2.IMREAD_GRAYSCALE) for path in (one, other))
    if first is None or second is None:
        return False
    ours, theirs = _thumbnail(first), _thumbnail(second)
    return min(np.abs(ours - shown).max() for shown in (theirs, theirs[:, ::-1])) < _CHANGED


def _thumbnail(grey: Image) -> NDArray[np.float64]:
    """Return a small picture in which brightness and contrast are alike in all."""
    small = cv2.resize(grey, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA).astype(float)
    return (small - small.mean()) / max(small.std(), 1.0)


def near_pairs(hashes: Hashes, most: int) -> Iterator[tuple[int, int, int]]:
    """Yield first, second and differing bits of all hashes, shape (N, 2, 128), with at most `most`."""
    for start in range(0, len(hashes), _BLOCK):
        block = hashes[start : start + _BLOCK]
        for other in range(start, len(hashes), _BLOCK):
            seconds = hashes[other : other + _BLOCK, 0]
            alike = np.maximum(block[:, 0] @ seconds.T, block[:, 1] @ seconds.T)
            bits = ((128 - alike) / 2).round().astype(int)
            for first, second in np.argwhere(bits <= most):
                if start + first < other + second:
                    yield int(start + first), int(other + second), int(bits[first, second])


def all_signs(paths: Sequence[Path]) -> Hashes:
    """Return the hashes of picture files, (N, 2, 128); 0 for one that cannot be read, like nothing else."""
    nothing = np.zeros((2, 128), np.float32)
    shown = tqdm(paths, desc="comparing", unit="picture", disable=None, leave=False)
    found = [picture_signs(path) for path in shown]
    return np.stack([nothing if one is None else one for one in found]) if found else nothing[None][:0]


def grouped(keys: Sequence[Sequence[Hashable]], pairs: Sequence[tuple[int, int]] = ()) -> list[int]:
    """Return the number of the group of each item: items that share a key or make a pair are together."""
    parents = list(range(len(keys)))

    def root(item: int) -> int:
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    holders = defaultdict(list)
    for item, own in enumerate(keys):
        for key in own:
            holders[key].append(item)
    links = [(items[0], item) for items in holders.values() for item in items[1:]]
    for first, second in [*links, *pairs]:
        parents[root(second)] = root(first)
    return [root(item) for item in range(len(keys))]


def _signs(grey: Image) -> Hashes:
    across = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(int)
    down = cv2.resize(grey, (8, 9), interpolation=cv2.INTER_AREA).astype(int)
    bits = np.concatenate([(np.diff(across, axis=1) > 0).ravel(), (np.diff(down, axis=0) > 0).ravel()])
    return np.where(bits, 1, -1).astype(np.float32)
