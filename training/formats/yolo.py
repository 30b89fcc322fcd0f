"""YOLO: a text file for each picture with `class centre_x centre_y width height` in shares of its size.

The classes stand in a data.yaml or a classes.txt; of several the nearest to a text file is meant. Text files
lie beside the pictures, or in a folder `labels` where the pictures are in `images`. Polygons become boxes.
"""

from collections import defaultdict
from pathlib import Path

import yaml

from training.data import Refused
from training.errors import TrainingError
from training.formats.base import LabelledFace, Picture, fitted, load_picture, write_file
from training.formats.pairs import nearest, paired
from training.pictures import pictures_below

_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")


def read(folder: Path, refused: Refused, pictures: Path | None = None) -> list[Picture]:
    """Read the pictures below a folder, or below `pictures`, that have a text file, be it empty."""
    folder = folder.parent if folder.is_file() else folder  # its data.yaml, as other tools take it
    lists = _lists(folder)
    by_stem = defaultdict(list)
    for path in pictures_below(pictures or folder):
        by_stem[path.stem].append(path)
    files = [file for file in sorted(folder.rglob("*.txt")) if file.name not in _NAMES]
    labels = {path: file for file, path in paired({f: by_stem[f.stem] for f in files}, refused).items()}
    found = []
    for path in pictures_below(pictures or folder):
        if path not in labels:
            refused.add("picture without a label file", str(path))
        elif (image := load_picture(path, refused)) is not None:
            height, width = image.shape[:2]
            names = _names_for(labels[path], lists)
            faces = _faces(labels[path], names, width, height, refused)
            found += [] if faces is None else [Picture(path, width, height, faces, folder.name)]
    return found


def write(pictures: list[tuple[Picture, Path]], names: list[str], folder: Path) -> None:
    """Write `labels/` beside the folder `images/` that holds the pictures, with data.yaml and classes.txt."""
    for picture, path in pictures:
        lines = "".join(f"{_line(picture, face, names)}\n" for face in picture.faces)
        write_file(folder / "labels" / f"{path.stem}.txt", lines.encode())
    write_file(folder / "labels" / "classes.txt", "".join(f"{name}\n" for name in names).encode())
    content = {"path": ".", "train": "images", "val": "images", "names": dict(enumerate(names))}
    write_file(folder / "data.yaml", yaml.safe_dump(content, sort_keys=False).encode())


def _lists(folder: Path) -> dict[Path, list[str]]:
    """Return the class names by number of each file that lists some."""
    files = [path for name in _NAMES for path in sorted(folder.rglob(name))]
    if not files:
        raise TrainingError(f"{folder} names no classes: put a data.yaml or a classes.txt there")
    return {file: _listed(file) for file in files}


def _listed(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix in (".txt", ".names"):
            return [line.strip() for line in text.splitlines() if line.strip()]
        names = yaml.safe_load(text)["names"]
        numbered = names if isinstance(names, dict) else dict(enumerate(names))
        by_number = {int(number): str(name) for number, name in numbered.items()}
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{file} lists no class names ({error!r}): give it 'names: [...]'") from error
    return [by_number.get(number, str(number)) for number in range(max(by_number, default=-1) + 1)]


def _names_for(file: Path, lists: dict[Path, list[str]]) -> list[str]:
    """Return the names in the list nearest to a text file."""
    near = nearest(file, list(lists))
    if other := next((one for one in near if lists[one] != lists[near[0]]), None):
        raise TrainingError(f"{near[0]} and {other} give {file} different class names: leave one of them")
    return lists[near[0]]


def _faces(
    file: Path, names: list[str], width: int, height: int, refused: Refused
) -> tuple[LabelledFace, ...] | None:
    """Return what a text file says; one that is no text is refused and gives None."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        refused.add("label file that is no text", str(file))
        return None
    faces = []
    for number, line in enumerate(lines, 1):
        where = f"{file.name}:{number}"
        if not line.strip():
            continue
        try:
            label, x, y, w, h = _numbers(line)
        except ValueError:
            refused.add("line that is not 'class x y width height'", where)
            continue
        if not 0 <= label < len(names):
            refused.add("class number that the names do not reach", where)
            continue
        box = ((x - w / 2) * width, (y - h / 2) * height, w * width, h * height)
        if cut := fitted(box, width, height, refused, where):
            faces.append(LabelledFace(cut, names[int(label)]))
    return tuple(faces)


def _numbers(line: str) -> tuple[float, ...]:
    """Return class, centre and size in shares of the picture; of a polygon those of the box around it."""
    label, *shares = (float(part) for part in line.split())
    if len(shares) >= 6 and len(shares) % 2 == 0:
        (left, right), (top, bottom) = ((min(side), max(side)) for side in (shares[::2], shares[1::2]))
        shares = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
    return label, *shares


def _line(picture: Picture, face: LabelledFace, names: list[str]) -> str:
    x, y, w, h = face.box
    shares = (x + w / 2) / picture.width, (y + h / 2) / picture.height, w / picture.width, h / picture.height
    return " ".join([str(names.index(face.label)), *(f"{share:.6f}" for share in shares)])
