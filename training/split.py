"""Split pictures into parts that share no source, no person and no near-duplicate.

A picture of the same person or the same scene on both sides makes a validation score a lie.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from training.errors import TrainingError
from training.formats.base import Picture
from training.likeness import NEAR, all_signs, grouped, near_pairs

BY = ("source", "person", "picture")


def parse_parts(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of each part from texts such as `train=0.8`, scaled to sum to 1."""
    parts = {}
    for text in texts:
        name, _, share = text.partition("=")
        if name in parts:
            raise TrainingError(f"--parts names {name} twice: give each part once, such as train=0.8 val=0.2")
        try:
            parts[name] = float(share)
        except ValueError:
            parts[name] = 0.0
        if not name.isidentifier() or not 0 < parts[name] < float("inf"):
            raise TrainingError(f"--parts '{text}': write a name and a share, such as train=0.8 val=0.2")
    total = sum(parts.values())
    return {name: share / total for name, share in parts.items()}


def split(
    pictures: Sequence[Picture], parts: dict[str, float], by: str, seed: int
) -> dict[str, list[Picture]]:
    """Share whole groups of pictures out to the parts, so that each class comes near its share.

    Raises:
        TrainingError: there are fewer groups than parts.
    """
    groups = _groups(pictures, by)
    if len(groups) < len(parts):
        raise TrainingError(_too_few(pictures, groups, parts, by))
    order = np.random.default_rng(seed).permutation(len(groups))
    ranked = sorted((groups[number] for number in order), key=len, reverse=True)
    counts = [_weights(group) for group in ranked]
    wanted = sum(counts, Counter())
    chosen: dict[str, list[Picture]] = {name: [] for name in parts}
    filled: dict[str, Counter] = {name: Counter() for name in parts}
    for number, (group, count) in enumerate(zip(ranked, counts, strict=True)):
        empty = [name for name in parts if not chosen[name]]
        name = _neediest(empty if len(empty) >= len(ranked) - number else parts, parts, filled, wanted, count)
        chosen[name] += group
        filled[name] += count
    return chosen


def _groups(pictures: Sequence[Picture], by: str) -> list[list[Picture]]:
    pairs = [pair[:2] for pair in near_pairs(all_signs([picture.path for picture in pictures]), NEAR)]
    groups = defaultdict(list)
    numbers = grouped([_keys(picture, by) for picture in pictures], pairs)
    for picture, number in zip(pictures, numbers, strict=True):
        groups[number].append(picture)
    return list(groups.values())


def _keys(picture: Picture, by: str) -> list[Hashable]:
    """Return what a picture shares with those that it must stay with."""
    keys: list[Hashable] = [picture.path.resolve()]
    if picture.person:
        keys.append(("person", picture.person))
    if by == "source" or (by == "person" and not picture.person):
        keys.append(("source", picture.source))
    return keys


def _weights(group: Sequence[Picture]) -> Counter:
    """Return what a group holds: pictures, and faces of each class."""
    return Counter(face.label for picture in group for face in picture.faces) + Counter({"": len(group)})


def _neediest(
    names: Sequence[str], parts: dict[str, float], filled: dict[str, Counter], wanted: Counter, count: Counter
) -> str:
    """Return the part that lacks most of what the group holds, in shares of what it should have."""

    def lack(name: str) -> float:
        goals = {label: wanted[label] * parts[name] for label in count}
        return sum(1 - (filled[name][label] + 0.5 * count[label]) / goals[label] for label in count) / len(
            count
        )

    return max(names, key=lack)


def _too_few(pictures: Sequence[Picture], groups: list, parts: dict[str, float], by: str) -> str:
    sources = len({picture.source for picture in pictures})
    advice = "give more sources (sources.csv, or import each with --source)"
    if by == "source":
        advice += ", or split --by person or --by picture, which tells less of other people's pictures"
    return (
        f"{len(pictures)} pictures of {sources} sources make {len(groups)} groups by {by}, "
        f"too few for {len(parts)} parts: {advice}"
    )
