"""Bring labelled pictures of any origin together, and part them for training.

    python -m training.dataset import folders pictures/ --out data/mine.json
    python -m training.dataset import voc downloads/kaggle --out data/kaggle.json
    python -m training.dataset deduplicate data/mine.json data/kaggle.json --out data/clean
    python -m training.dataset split data/clean/*.json --out data/all --parts train=0.8 val=0.2
    python -m training.dataset report data/all_train.json data/all_val.json
    python -m training.dataset export labelimg data/mine.json --out data/to_label

A set is one COCO file; its pictures stay where they are and are never changed. What cannot be used is
refused with its reason: counted on the screen, and listed in full in `..._refused.txt` beside the result.
`import` reads folders (one for each class), voc, labelimg, yolo, coco, maskedface-net (CMFD, IMFD and
Flickr-Faces-HQ below one folder) and pictures (unlabelled). Where there are no boxes a face detector
proposes them: correct them by hand after `export`, and take the result back with `import`. Classes that
`--guess` proposes are not trained on before that.
"""

import argparse
import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

from mask_detector.classifiers import make_classifier
from mask_detector.face_detectors import FACE_DETECTORS, make_face_detector
from training.counts import report, shared
from training.data import Refused, printable
from training.errors import TrainingError
from training.exports import FORMATS, export
from training.formats import coco, labels, unboxed, voc, yolo
from training.formats.base import Picture, require_new, write_file
from training.likeness import COPY, all_signs, near_pairs, same_throughout
from training.options import told
from training.propose import propose
from training.sources import with_sources
from training.split import BY, parse_parts, split

_BOXED: dict[str, Callable[..., list[Picture]]] = {
    "voc": voc.read,
    "labelimg": voc.read,
    "yolo": yolo.read,
    "coco": coco.read_foreign,
}
_UNBOXED: dict[str, Callable[..., list[unboxed.Unboxed]]] = {
    "folders": unboxed.read_folders,
    "maskedface-net": unboxed.read_maskedface_net,
    "pictures": unboxed.read_pictures,
}


def import_set(options: argparse.Namespace, refused: Refused) -> str:
    """Read a collection into one COCO file; return what it holds."""
    require_new(options.out)
    mapped = labels.parse_map(options.map)
    if not options.path.exists():
        raise TrainingError(f"{options.path} does not exist: name a folder, or the file of COCO")
    if options.format in _BOXED:
        read = _BOXED[options.format](options.path, refused, options.pictures)
        pictures = labels.named(read, mapped, refused)
    else:
        whole = labels.named_whole(_UNBOXED[options.format](options.path, refused), mapped, refused)
        classifier = make_classifier() if options.guess else None
        pictures = propose(whole, make_face_detector(options.face_detector), refused, classifier)
    folder = options.path if options.path.is_dir() else options.path.parent
    pictures = with_sources(pictures, options.pictures or folder, refused, options.source)
    if not pictures:
        raise TrainingError(f"{options.path} holds no usable picture as {options.format}\n{refused.report()}")
    coco.write(options.out, pictures)
    _list_refused(refused, options.out)
    return report(pictures)


def export_set(options: argparse.Namespace, refused: Refused) -> str:
    """Lay a set out for labelling by hand."""
    pictures = coco.read(options.path, refused)
    export(pictures, options.out, options.format)
    return f"{len(pictures)} pictures in {options.out}; take them back with import {options.format}"


def deduplicate_sets(options: argparse.Namespace, refused: Refused) -> str:
    """Write the sets without pictures that an earlier place in them shows already."""
    outs = [options.out / path.name for path in options.paths]
    for number, out in enumerate(outs):
        require_new(out)
        if out in outs[:number]:
            raise TrainingError(f"two sets are called {out.name}: rename one, the results would meet")
    sets = [coco.read(path, refused) for path in options.paths]
    everything = [picture for pictures in sets for picture in pictures]
    copies: dict[int, tuple[int, int]] = {}
    for first, second, bits in near_pairs(all_signs([one.path for one in everything]), COPY):
        if first not in copies and _is_copy(everything[first], everything[second]):
            copies.setdefault(second, (first, bits))
    kept = {id(picture) for number, picture in enumerate(everything) if number not in copies}
    for out, pictures in zip(outs, sets, strict=True):
        coco.write(out, [picture for picture in pictures if id(picture) in kept])
    _list_copies(everything, copies, options.out / "duplicates.csv")
    told = f"{len(everything)} pictures, {len(copies)} of them copies, listed in {options.out}/duplicates.csv"
    wrong = sum(not _labelled_alike(everything[one], everything[first]) for one, (first, _) in copies.items())
    return told + (f"; {wrong} were labelled otherwise than what is kept: look at those" if wrong else "")


def split_sets(options: argparse.Namespace, refused: Refused) -> str:
    """Write one set for each part."""
    parts = parse_parts(options.parts)
    outs = {name: options.out.with_name(f"{options.out.name}_{name}.json") for name in parts}
    for out in outs.values():
        require_new(out)
    pictures = [picture for path in options.paths for picture in coco.read(path, refused)]
    chosen = split(pictures, parts, options.by, options.seed)
    for name, out in outs.items():
        coco.write(out, chosen[name])
    return "\n".join(f"{outs[name]}: {report(chosen[name])}" for name in parts)


def report_sets(options: argparse.Namespace, refused: Refused) -> str:
    """Tell what sets hold, and what they share."""
    sets = {str(path): coco.read(path, refused) for path in options.paths}
    tables = [f"{name}: {report(pictures)}" for name, pictures in sets.items()]
    if len(sets) > 1:
        tables.append(shared(sets) or "nothing is shared between the sets")
    return "\n".join(tables)


def _list_refused(refused: Refused, out: Path) -> None:
    write_file(out.with_name(f"{out.stem}_refused.txt"), refused.listing())


def _is_copy(one: Picture, other: Picture) -> bool:
    """Tell whether two pictures of like hashes are one; somebody may have put a mask on between them."""
    return _labelled_alike(one, other) or same_throughout(one.path, other.path)


def _labelled_alike(one: Picture, other: Picture) -> bool:
    return sorted(face.label for face in one.faces) == sorted(face.label for face in other.faces)


def _list_copies(pictures: Sequence[Picture], copies: dict[int, tuple[int, int]], path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["dropped", "kept", "differing_bits", "same_labels"])
    for number, (first, bits) in sorted(copies.items()):
        dropped, kept = pictures[number], pictures[first]
        writer.writerow([dropped.path, kept.path, bits, "yes" if _labelled_alike(dropped, kept) else "no"])
    write_file(path, text.getvalue().encode(errors="surrogateescape"))


def _options() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("training.dataset", description=__doc__, formatter_class=form)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[..., str], out: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        made.set_defaults(run=run)
        if out:
            made.add_argument("--out", type=Path, required=True, help=out)
        return made

    made = command("import", import_set, "COCO file to write, a new one")
    made.add_argument("format", choices=[*_UNBOXED, *_BOXED])
    made.add_argument("path", type=Path, help="the collection's folder, or the file of coco")
    made.add_argument("--pictures", type=Path, help="folder of the pictures, if they lie elsewhere")
    made.add_argument(
        "--map", nargs="+", default=[], metavar="NAME=CLASS", help="what names of it mean, or drop"
    )
    made.add_argument("--source", help="name of the source of all its pictures")
    made.add_argument("--face-detector", default="auto", choices=FACE_DETECTORS)
    made.add_argument("--guess", action="store_true", help="propose classes of unlabelled faces too")
    made = command("export", export_set, "folder to write, a new one")
    made.add_argument("format", choices=FORMATS)
    made.add_argument("path", type=Path, help="COCO file")
    made = command("deduplicate", deduplicate_sets, "folder for the sets without copies")
    made.add_argument("paths", type=Path, nargs="+", help="COCO files; earlier ones keep their pictures")
    made = command("split", split_sets, "start of the names: OUT_train.json and so on")
    made.add_argument("paths", type=Path, nargs="+", help="COCO files")
    made.add_argument("--parts", nargs="+", default=["train=0.8", "val=0.2"], help="(train=0.8 val=0.2)")
    made.add_argument(
        "--by", default="source", choices=BY, help="what must not be in two parts (%(default)s)"
    )
    made.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    made = command("report", report_sets, "")
    made.add_argument("paths", type=Path, nargs="+", help="COCO files")
    return parser


def main(argv: list[str] | None = None) -> None:
    parser = _options()
    options = parser.parse_args(argv)
    refused = Refused()
    with told(parser):
        print(printable(options.run(options, refused)))
        print(refused.report())


if __name__ == "__main__":
    main()
