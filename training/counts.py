"""Tell what a labelled set holds, and what two sets share that they should not."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from mask_detector.model_store import load_manifest
from training.formats.base import UNLABELLED, Picture
from training.likeness import NEAR, all_signs, near_pairs

_SIZES = (0, 16, 32, 64, 128, 256)


def report(pictures: Sequence[Picture]) -> str:
    """Return tables of faces by class and source, and by size."""
    labels = [name for name in (*load_manifest().class_ids, UNLABELLED) if name in _labels(pictures)]
    faces = [(face, picture.source) for picture in pictures for face in picture.faces]
    empty = sum(not picture.faces for picture in pictures)
    head = f"{len(pictures)} pictures ({empty} without a face), {len(faces)} faces"
    if proposed := sum(face.proposed for face, _ in faces):
        head += f"\n  {proposed} boxes are proposed by a face detector: how well one finds them says nothing"
    if guessed := sum(face.guessed for face, _ in faces):
        head += f"\n  {guessed} classes are guessed: training refuses them until you have looked through them"
    by_source = Counter((source, face.label) for face, source in faces)
    by_size = Counter((_size(min(face.box[2:])), face.label) for face, _ in faces)
    sources = sorted({picture.source for picture in pictures})
    sizes = [_size(least) for least in _SIZES]
    return "\n".join(
        [head, *_table("source", sources, labels, by_source), *_table("shorter side", sizes, labels, by_size)]
    )


def shared(sets: dict[str, Sequence[Picture]]) -> str:
    """Return a line for each kind of thing that two sets have in common, '' if nothing."""
    lines = []
    names = list(sets)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            lines += _common(first, sets[first], second, sets[second])
    return "\n".join(lines)


def _common(first: str, ones: Sequence[Picture], second: str, others: Sequence[Picture]) -> list[str]:
    kinds = {
        "sources": {one.source for one in ones} & {other.source for other in others},
        "persons": {one.person for one in ones} & {other.person for other in others} - {""},
        "near-duplicate pictures": _alike(ones, others),
    }
    return [
        f"{first} and {second} share {len(found)} {kind}, such as {', '.join(sorted(found)[:3])}"
        for kind, found in kinds.items()
        if found
    ]


def _alike(ones: Sequence[Picture], others: Sequence[Picture]) -> set[str]:
    both = [*ones, *others]
    pairs = near_pairs(all_signs([picture.path for picture in both]), NEAR)
    return {both[b].path.name for a, b, _ in pairs if a < len(ones) <= b}


def _labels(pictures: Sequence[Picture]) -> set[str]:
    return {face.label for picture in pictures for face in picture.faces}


def _size(side: float) -> str:
    least = max(size for size in _SIZES if size <= side)
    following = [size for size in _SIZES if size > least]
    return f"{least} to {following[0] - 1} px" if following else f"{least} px and more"


def _table(title: str, rows: Sequence[str], columns: Sequence[str], counts: Counter) -> list[str]:
    sums: dict[str, int] = defaultdict(int)
    for (row, _), count in counts.items():
        sums[row] += count
    lines = [f"  {title:24}" + "".join(f"{name:>15}" for name in columns)]
    for row in rows:
        if sums[row]:
            lines.append(f"  {row[:24]:24}" + "".join(f"{counts[row, name]:15}" for name in columns))
    return lines
