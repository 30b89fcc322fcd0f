"""Turn the data that the settings name into crops, once per run folder.

    python -m training.prepare --data ../shared/data --run runs/classifier

Training calls it by itself; alone it shows what the data hold and what was refused.
"""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from mask_detector.background import BACKGROUND
from mask_detector.face_detectors import FaceDetector, make_face_detector
from mask_detector.model_store import load_manifest
from training.background import background_crops
from training.config import Config, SetConfig
from training.cropset import CropSet, cut_crops, joined, load_cropset, require_memory
from training.data import (
    Corrections,
    Face,
    Refused,
    read_corrections,
    read_folders,
    read_scenes,
    require_every_class,
)
from training.drawn import Framed, drawn_crops, framed_faces
from training.face_detector.backgrounds import people_free
from training.find import boxes_for_folders, detector_boxes
from training.fingerprint import of_pictures, of_scenes
from training.formats.base import write_file
from training.lookalikes import SEARCH, lookalike_crops
from training.options import add_settings, settings_for, step_parser, told
from training.pictures import pictures_below
from training.statues import statue_crops

FOUND = "_found"  # the same faces with the boxes of the node's detector, as far as it finds them
WITHOUT_FACE = "_background"  # what a detector may find in the same pictures, but is no face
STATUES = 0.2  # share of that
LOOKALIKES = 0.25  # share of that at most, in training
CUT_BY = ("seed", "data", "crops", "synthesis", "background")  # the settings that crops depend on
SETS = ("train", "val", "test", "val" + FOUND, "test" + FOUND)


def prepared(config: Config, run: Path, kind: str) -> CropSet:
    """Return the crops of `kind` (one of SETS): from the run folder, unless settings or data have changed.

    Where there are no data, as on a machine that only trains, those in the run folder are what there is.
    """
    path, stamp = run / f"crops_{kind}.npz", run / f"crops_{kind}.json"
    cut_by = _settings_facts(config, kind)
    if Path(config.data.root).is_dir():
        cut_by |= _data_facts(config, kind)
    if path.is_file() and cut_by.items() <= _stamped(stamp).items():
        return load_cropset(path)
    refused = Refused()
    crops = _cut(config, kind, refused)
    print(_summary(kind, crops, refused), flush=True)
    run.mkdir(parents=True, exist_ok=True)
    (run / f"refused_{kind}.txt").write_bytes(refused.listing())
    stamp.unlink(missing_ok=True)  # it is of the crops before
    crops.save(path)
    write_file(stamp, json.dumps(cut_by).encode())
    return crops


def _stamped(stamp: Path) -> dict[str, str]:
    """Return by what the crops there were cut; {} where there are none, or a full disk left half of it."""
    try:
        return json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}


def _settings_facts(config: Config, kind: str) -> dict[str, str]:
    """Return what the crops of `kind` depend on besides the data: settings, mended labels, face detectors."""
    listed = _listed(config, kind)
    facts = {name: value for name, value in asdict(config).items() if name in CUT_BY}
    facts["corrections"] = {name: _corrections(config, name) for name in listed.scenes + listed.folders}
    facts["face_detectors"] = load_manifest().entries["face_detectors"]
    return {name: json.dumps(value) for name, value in facts.items()}


def _data_facts(config: Config, kind: str) -> dict[str, str]:
    """Return fingerprints of the labels and pictures that the crops of `kind` are cut from."""
    listed, root = _listed(config, kind), Path(config.data.root)
    facts = {}
    if kind == "train":
        facts["people_free"] = of_pictures(people_free(root, config.background.pictures), root)
    facts |= {f"scenes {name}": of_scenes(root / name) for name in listed.scenes}
    facts |= {f"folder {name}": of_pictures(pictures_below(root / name), root) for name in listed.folders}
    return facts


def _listed(config: Config, kind: str) -> SetConfig:
    return getattr(config.data, kind.split("_")[0])


def _cut(config: Config, kind: str, refused: Refused) -> CropSet:
    if kind == "train":
        return _train_crops(config, refused)
    if kind.endswith(WITHOUT_FACE):
        return _background(config, kind, refused)
    return _runtime_crops(config, kind, refused)


def _background(config: Config, kind: str, refused: Refused, there: int = 0) -> CropSet:
    """What is no face in the scenes of `kind`, and their bare faces as statues; for training cut larger.

    `there` are as many as there are already.
    """
    crops, label, count = config.crops, len(load_manifest().class_ids), config.background.count - there
    training = kind.startswith("train")
    cut = (crops.outer_size, crops.outer_margin) if training else (crops.size, crops.margin)
    faces = scene_faces(config, _listed(config, kind), refused)
    bare = _bare(faces, make_face_detector(config.data.face_detector), config) if count else []
    statues = round(count * STATUES)
    return joined(
        [
            background_crops(faces, count - statues, label, *cut, config.seed),
            statue_crops(bare, statues, label, *cut, config.seed),
        ]
    )


def _lookalikes(config: Config, refused: Refused) -> CropSet:
    """Return what looks like a face in the pictures without people."""
    pictures = people_free(Path(config.data.root), config.background.pictures)
    detector = make_face_detector(config.data.face_detector, search=SEARCH)
    most, label = round(config.background.count * LOOKALIKES), len(load_manifest().class_ids)
    size, margin = config.crops.outer_size, config.crops.outer_margin
    return lookalike_crops(pictures, detector, most, label, size, margin, config.seed, refused)


def _train_crops(config: Config, refused: Refused) -> CropSet:
    """The set's faces, those of scenes with the detector's boxes too, and masks drawn onto bare ones."""
    classes, crops = load_manifest().class_ids, config.crops
    lookalikes = _lookalikes(config, refused)  # first: a place may be missing, and cutting takes long
    detector = make_face_detector(config.data.face_detector)
    scenes = scene_faces(config, config.data.train, refused, config.data.smallest_side)
    scenes += detector_boxes(scenes, detector)
    faces = scenes + _folders(config, config.data.train, detector, refused)
    require_memory(len(faces) + config.synthesis.count + config.background.count, crops.outer_size)
    cut = cut_crops(faces, crops.outer_size, crops.outer_margin, refused)
    bare = _bare(scenes, detector, config) if config.synthesis.count else []
    drawn = drawn_crops(bare, config.synthesis, crops, classes, config.seed)
    others = _background(config, "train", Refused(), len(lookalikes))
    train = joined([cut, drawn, lookalikes, others])
    require_every_class(train.labels, classes, "the training data")
    return train


def _bare(faces: list[Face], detector: FaceDetector, config: Config) -> list[Framed]:
    """Return the faces that masks can be drawn on."""
    label = load_manifest().class_ids.index(config.synthesis.bare)
    return list(framed_faces([face for face in faces if face.label == label], detector))


def _runtime_crops(config: Config, kind: str, refused: Refused) -> CropSet:
    """The crops that the node would cut: the final size and margin, nothing varied."""
    detector = make_face_detector(config.data.face_detector)
    listed = _listed(config, kind)
    faces = scene_faces(config, listed, refused) + _folders(config, listed, detector, refused)
    if kind.endswith(FOUND):
        faces = detector_boxes(faces, detector)
    return cut_crops(faces, config.crops.size, config.crops.margin, refused)


def scene_faces(config: Config, listed: SetConfig, refused: Refused, smallest: int = 1) -> list[Face]:
    """Return the usable faces of the scenes that a set lists, with mended labels."""
    classes, root = load_manifest().class_ids, Path(config.data.root)
    corrections = {name: _corrections(config, name) for name in listed.scenes}
    parts = [
        read_scenes(root / name, classes, refused, smallest, corrections[name]) for name in listed.scenes
    ]
    return [face for part in parts for face in part]


def _folders(config: Config, listed: SetConfig, detector: FaceDetector, refused: Refused) -> list[Face]:
    classes, root = load_manifest().class_ids, Path(config.data.root)
    parts = [
        read_folders(root / name, classes, refused, _corrections(config, name)) for name in listed.folders
    ]
    return boxes_for_folders([face for part in parts for face in part], detector, refused)


def _corrections(config: Config, name: str) -> Corrections:
    return read_corrections(Path(config.data.corrections), name) if config.data.corrections else {}


def _summary(kind: str, crops: CropSet, refused: Refused) -> str:
    classes = (*load_manifest().class_ids, BACKGROUND)
    labels = [classes[label] for label in crops.labels]
    counts = Counter(zip(labels, crops.sources.tolist(), strict=True))
    lines = [f"{kind}: {len(crops)} crops"]
    lines += [f"  {label:14} {source:20} {count:6}" for (label, source), count in sorted(counts.items())]
    return "\n".join([*lines, refused.report()])


def main(argv: list[str] | None = None) -> None:
    parser = step_parser(__doc__)
    add_settings(parser)
    options = parser.parse_args(argv)
    with told(parser):
        config = settings_for(options)
        config.save(options.run / "config.yaml")
        for kind in SETS:
            prepared(config, options.run, kind)


if __name__ == "__main__":
    main()
