"""YOLO: a text file for each picture with `class centre_x centre_y width height` in shares of its size.

The classes stand in a data.yaml or a classes.txt. Text files lie beside the pictures, or in a folder
`labels` where the pictures are in `images`.
"""

from collections import defaultdict
from pathlib import Path

import yaml

from training.data import Refused
from training.errors import TrainingError
from training.formats.base import LabelledFace, Picture, fitted, load_picture, pictures_below, write_file
from training.formats.pairs import paired

_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")


def read(folder: Path, refused: Refused, pictures: Path | None = None) -> list[Picture]:
    """Read the pictures below a folder, or below `pictures`, that have a text file, be it empty."""
    names = _names(folder)
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


def _names(folder: Path) -> list[str]:
    """Return the class names by number."""
    for file in (path for name in _NAMES for path in sorted(folder.rglob(name))):
        try:
            text = file.read_text()
            if file.suffix in (".txt", ".names"):
                return [line.strip() for line in text.splitlines() if line.strip()]
            names = yaml.safe_load(text)["names"]
            numbered = names if isinstance(names, dict) else dict(enumerate(names))
            by_number = {int(number): str(name) for number, name in numbered.items()}
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"{file} lists no class names ({error!r}): give it 'names: [...]'") from error
        return [by_number.get(number, str(number)) for number in range(max(by_number, default=-1) + 1)]
    raise TrainingError(f"{folder} names no classes: put a data.yaml or a classes.txt there")


def _faces(
    file: Path, names: list[str], width: int, height: int, refused: Refused
) -> tuple[LabelledFace, ...] | None:
    """Return what a text file says; one that is no text is refused and gives None."""
    try:
        lines = file.read_text().splitlines()
    except UnicodeDecodeError:
        refused.add("label file that is no text", str(file))
        return None
    faces = []
    for number, line in enumerate(lines, 1):
        where = f"{file.name}:{number}"
        try:
            label, x, y, w, h = (float(part) for part in line.split()) if line.strip() else (None,) * 5
        except ValueError:
            refused.add("line that is not 'class x y width height'", where)
            continue
        if label is None:
            continue
        if not 0 <= label < len(names):
            refused.add("class number that the names do not reach", where)
            continue
        box = ((x - w / 2) * width, (y - h / 2) * height, w * width, h * height)
        if cut := fitted(box, width, height, refused, where):
            faces.append(LabelledFace(cut, names[int(label)]))
    return tuple(faces)


def _line(picture: Picture, face: LabelledFace, names: list[str]) -> str:
    x, y, w, h = face.box
    shares = (x + w / 2) / picture.width, (y + h / 2) / picture.height, w / picture.width, h / picture.height
    return " ".join([str(names.index(face.label)), *(f"{share:.6f}" for share in shares)])
