"""Pascal VOC: an XML file for each picture, as LabelImg writes it, beside the picture or apart from it."""

from pathlib import Path
from xml.etree import ElementTree as xml

from training.data import Refused
from training.formats.base import LabelledFace, Picture, fitted, load_picture, pictures_below, write_file


def read(folder: Path, refused: Refused, pictures: Path | None = None) -> list[Picture]:
    """Read all XML files below a folder; their pictures lie there too, or below `pictures`."""
    by_name = {path.name: path for path in pictures_below(pictures or folder)}
    by_stem = {path.stem: path for path in by_name.values()}
    found = []
    for file in sorted(folder.rglob("*.xml")):
        try:
            root = xml.parse(file).getroot()
            entries = [_entry(entry) for entry in root.iter("object")]
        except (xml.ParseError, ValueError, AttributeError, TypeError) as error:
            refused.add(f"no VOC file ({error})", str(file))
            continue
        name = Path((root.findtext("filename") or "").replace("\\", "/")).name
        path = by_name.get(name) or by_stem.get(file.stem)
        if path is None:
            refused.add("picture is missing", f"{name or file.stem} of {file}")
        elif (picture := _picture(path, entries, folder.name, refused)) is not None:
            found.append(picture)
    return found


def write(pictures: list[tuple[Picture, Path]]) -> None:
    """Write an XML file beside the copy of each picture."""
    for picture, path in pictures:
        write_file(path.with_suffix(".xml"), xml.tostring(_tree(picture, path), encoding="utf-8"))


def _entry(entry: xml.Element) -> tuple[str, tuple[float, ...]]:
    """Return the name and box of an object; raise where a part is missing."""
    corners = [float(entry.findtext(f"bndbox/{corner}")) for corner in ("xmin", "ymin", "xmax", "ymax")]
    return entry.findtext("name").strip(), (*corners[:2], corners[2] - corners[0], corners[3] - corners[1])


def _picture(path: Path, entries: list, source: str, refused: Refused) -> Picture | None:
    image = load_picture(path, refused)
    if image is None:
        return None
    height, width = image.shape[:2]
    faces = [
        LabelledFace(cut, label)
        for number, (label, box) in enumerate(entries, 1)
        if (cut := fitted(box, width, height, refused, f"{path.name}:{number}"))
    ]
    return Picture(path, width, height, tuple(faces), source)


def _tree(picture: Picture, path: Path) -> xml.Element:
    root = xml.Element("annotation")
    _add(root, {"folder": path.parent.name, "filename": path.name})
    _add(xml.SubElement(root, "source"), {"database": picture.source})
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
