"""Pascal VOC: an XML file for each picture, as LabelImg writes it, beside the picture or apart from it."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as xml

from training.data import Refused, printable
from training.formats.base import (
    Box,
    LabelledFace,
    Picture,
    fitted,
    load_picture,
    write_file,
)
from training.formats.pairs import paired
from training.formats.sizes import Size, at_real_size
from training.pictures import pictures_below


@dataclass(frozen=True)
class _Labels:
    """What an XML file says: the name and size of its picture, and of each face name and box."""

    picture: str
    size: Size
    names: list[str]
    boxes: list[Box]


def read(folder: Path, refused: Refused, pictures: Path | None = None) -> list[Picture]:
    """Read all XML files below a folder; their pictures lie there too, or below `pictures`."""
    by_name, by_stem = defaultdict(list), defaultdict(list)
    for path in pictures_below(pictures or folder):
        by_name[path.name].append(path)
        by_stem[path.stem].append(path)
    read = {file: _labels(file, refused) for file in sorted(folder.rglob("*.xml"))}
    labels = {file: one for file, one in read.items() if one}
    # the picture of its own name first: files are renamed more often than what stands in them
    candidates = {file: by_stem.get(file.stem) or by_name[one.picture] for file, one in labels.items()}
    found = [
        _picture(path, labels[file], folder.name, refused)
        for file, path in paired(candidates, refused).items()
    ]
    return [picture for picture in found if picture]


def write(pictures: list[tuple[Picture, Path]]) -> None:
    """Write an XML file beside the copy of each picture."""
    for picture, path in pictures:
        write_file(path.with_suffix(".xml"), xml.tostring(_tree(picture, path), encoding="utf-8"))


def _labels(file: Path, refused: Refused) -> _Labels | None:
    """Return what a file says; one that is torn or lacks a part is refused and gives None."""
    try:
        root = xml.parse(file).getroot()
        entries = [_entry(entry) for entry in root.iter("object")]
        width, height = (float(root.findtext(f"size/{side}") or 0) for side in ("width", "height"))
    except (xml.ParseError, LookupError, ValueError, AttributeError, TypeError) as error:
        refused.add(f"no VOC file ({error})", str(file))
        return None
    picture = Path((root.findtext("filename") or "").replace("\\", "/")).name
    return _Labels(picture, (width, height), [name for name, _ in entries], [box for _, box in entries])


def _entry(entry: xml.Element) -> tuple[str, Box]:
    """Return the name and box of an object; raise where a part is missing."""
    corners = [float(entry.findtext(f"bndbox/{corner}")) for corner in ("xmin", "ymin", "xmax", "ymax")]
    return entry.findtext("name").strip(), (*corners[:2], corners[2] - corners[0], corners[3] - corners[1])


def _picture(path: Path, labels: _Labels, source: str, refused: Refused) -> Picture | None:
    image = load_picture(path, refused)
    if image is None:
        return None
    height, width = image.shape[:2]
    boxes = at_real_size(labels.boxes, labels.size, (width, height), refused, str(path))
    if boxes is None:
        return None
    faces = [
        LabelledFace(cut, label)
        for number, (label, box) in enumerate(zip(labels.names, boxes, strict=True), 1)
        if (cut := fitted(box, width, height, refused, f"{path.name}:{number}"))
    ]
    return Picture(path, width, height, tuple(faces), source)


def _tree(picture: Picture, path: Path) -> xml.Element:
    root = xml.Element("annotation")
    _add(root, {"folder": path.parent.name, "filename": path.name})
    _add(xml.SubElement(root, "source"), {"database": printable(picture.source)})
    _add(xml.SubElement(root, "size"), {"width": picture.width, "height": picture.height, "depth": 3})
    _add(root, {"segmented": 0})
    for face in picture.faces:
        entry = xml.SubElement(root, "object")
        _add(entry, {"name": face.label, "pose": "Unspecified", "truncated": 0, "difficult": 0})
        x, y, width, height = face.box
        corners = {"xmin": x, "ymin": y, "xmax": x + width, "ymax": y + height}
        _add(xml.SubElement(entry, "bndbox"), {name: round(value) for name, value in corners.items()})
    xml.indent(root)
    return root


def _add(parent: xml.Element, values: dict[str, object]) -> None:
    for name, value in values.items():
        xml.SubElement(parent, name).text = str(value)
