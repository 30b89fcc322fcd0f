"""Sets of labelled pictures: every format in and out, near-duplicates, splits, and what is refused."""

import csv
import hashlib
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from mask_detector.boxes import iou_matrix
from mask_detector.model_store import load_manifest
from training.config import TrainingError
from training.data import Refused, read_scenes
from training.dataset import main
from training.formats import coco, voc, yolo
from training.formats.base import LabelledFace, Picture, write_file
from training.likeness import COPY, NEAR, grouped, near_pairs, signs
from training.split import parse_parts, split

MASK, IMPROPER, NO_MASK = load_manifest().class_ids


def blots(seed: int, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """Return a picture of (width, height) unlike those of other seeds."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)


def save(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def stored(path: Path) -> list[Picture]:
    return coco.read(path, Refused())


def refused_by(path: Path) -> dict[str, str]:
    """Return the reason of each refused name, by the last part of it."""
    lines = (line.split("\t") for line in path.read_text().splitlines())
    return {name.rpartition("/")[2]: reason for reason, name in lines}


def a_set(folder: Path, *labels: str, source: str = "mine", start: int = 0) -> Path:
    """Write a COCO set with a picture and a face for each label, and a last picture without a face."""
    pictures = []
    for number, label in enumerate((*labels, "")):
        path = save(folder / source / f"{number}.png", blots(start + number))
        faces = (LabelledFace((10.4 + number, 20.6, 40.2, 50.3), label),) if label else ()
        pictures.append(Picture(path, 160, 120, faces, source, f"{source}-{number // 2}"))
    coco.write(folder / f"{source}.json", pictures)
    return folder / f"{source}.json"


def fail(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert end.value.code == 2
    return capsys.readouterr().err


def run(*arguments: object) -> None:
    main([str(argument) for argument in arguments])


def voc_file(path: Path, picture: str, *objects: tuple[str, tuple[int, int, int, int]]) -> None:
    entries = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{box[0]}</xmin><ymin>{box[1]}</ymin>"
        f"<xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox></object>"
        for name, box in objects
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<annotation><filename>{picture}</filename>{entries}</annotation>")


def test_voc_as_published_is_read_and_what_is_unusable_is_refused(tmp_path):
    folder = tmp_path / "kaggle"
    for name in ("a", "b"):
        save(folder / "images" / f"{name}.png", blots(ord(name)))
    (folder / "images" / "broken.png").write_bytes(b"\x89PNG no picture")
    voc_file(
        folder / "annotations" / "a.xml",
        "a.png",
        ("with_mask", (10, 20, 50, 70)),
        ("mask_weared_incorrect", (60, 20, 61, 70)),
        ("without_mask", (150, 100, 190, 140)),
        ("without_mask", (300, 20, 340, 70)),
    )
    voc_file(folder / "annotations" / "b.xml", "C:\\pictures\\b.png")
    voc_file(folder / "annotations" / "gone.xml", "gone.png", ("with_mask", (1, 1, 30, 30)))
    voc_file(folder / "annotations" / "broken.xml", "broken.png", ("with_mask", (1, 1, 30, 30)))
    (folder / "annotations" / "torn.xml").write_text("<annotation><obj")
    run("import", "voc", folder, "--out", tmp_path / "set.json")
    a, b = stored(tmp_path / "set.json")
    assert a.faces == (LabelledFace((10, 20, 40, 50), MASK), LabelledFace((150, 100, 10, 20), NO_MASK))
    assert (a.source, a.width, a.height) == ("kaggle", 160, 120)
    assert b.faces == ()
    reasons = refused_by(tmp_path / "set_refused.txt")
    assert reasons["a.png:2"] == "box of a pixel or less"
    assert reasons["a.png:4"] == "box outside the picture"
    assert reasons["gone.xml"] == "picture is missing"
    assert reasons["broken.png"] == "picture cannot be read"
    assert reasons["torn.xml"].startswith("no VOC file")


@pytest.mark.parametrize("names", ["data.yaml", "classes.txt"])
def test_yolo_as_published_is_read(tmp_path, names):
    folder = tmp_path / "yolo"
    for name in ("a", "b", "c"):
        save(folder / "train" / "images" / f"{name}.jpg", blots(ord(name)))
    labels = folder / "train" / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text("1 0.5 0.5 0.25 0.5\n0 0.1 x 0.1 0.1\n7 0.5 0.5 0.2 0.2\n\n")
    (labels / "b.txt").write_text("")
    content = {
        "data.yaml": "names: {0: without_mask, '1': with_mask}",
        "classes.txt": "without_mask\nwith_mask\n",
    }
    (folder / names).write_text(content[names])
    run("import", "yolo", folder, "--out", tmp_path / "set.json")
    a, b = stored(tmp_path / "set.json")
    assert a.faces == (LabelledFace((60, 30, 40, 60), MASK),)
    assert b.faces == ()
    reasons = refused_by(tmp_path / "set_refused.txt")
    assert reasons["a.txt:2"] == "line that is not 'class x y width height'"
    assert reasons["a.txt:3"] == "class number that the names do not reach"
    assert reasons["c.jpg"] == "picture without a label file"


@pytest.mark.parametrize("kind", ["labelimg", "voc", "yolo"])
def test_a_round_trip_through_hand_labelling_keeps_boxes_classes_and_sources(tmp_path, kind):
    mine = a_set(tmp_path, MASK, IMPROPER, NO_MASK, NO_MASK)
    yours = a_set(tmp_path, NO_MASK, source="yours", start=50)  # 0.png again
    run("split", mine, yours, "--out", tmp_path / "both", "--parts", "all=1")
    run("export", kind, tmp_path / "both_all.json", "--out", tmp_path / "hand")
    run("import", kind, tmp_path / "hand", "--out", tmp_path / "back.json")
    before, after = stored(tmp_path / "both_all.json"), stored(tmp_path / "back.json")
    by_origin = {(p.source, p.person, hashlib.sha256(p.path.read_bytes()).digest()): p for p in after}
    assert len(after) == len(before) == 7
    for picture in before:
        key = (picture.source, picture.person, hashlib.sha256(picture.path.read_bytes()).digest())
        again = by_origin[key]
        assert [face.label for face in again.faces] == [face.label for face in picture.faces]
        for face, found in zip(picture.faces, again.faces, strict=True):
            assert np.abs(np.subtract(face.box, found.box)).max() <= 1
    assert not (tmp_path / "back_refused.txt").read_text()


def test_what_was_drawn_by_hand_comes_back(tmp_path):
    run("export", "labelimg", a_set(tmp_path, MASK), "--out", tmp_path / "hand")
    assert (tmp_path / "hand" / "classes.txt").read_text().split() == [MASK, IMPROPER, NO_MASK]
    assert "<folder>hand</folder>" in (tmp_path / "hand" / "0.xml").read_text()
    voc_file(tmp_path / "hand" / "0.xml", "0.png", (IMPROPER, (5, 6, 45, 66)), (MASK, (60, 6, 90, 66)))
    run("import", "labelimg", tmp_path / "hand", "--out", tmp_path / "back.json")
    first = stored(tmp_path / "back.json")[0]
    assert [(face.label, face.box) for face in first.faces] == [
        (IMPROPER, (5, 6, 40, 60)),
        (MASK, (60, 6, 30, 60)),
    ]


def test_coco_of_others_is_read_with_its_pictures_elsewhere(tmp_path):
    save(tmp_path / "photos" / "a.png", blots(1))
    boxes = [(1, 1, [5, 5, 20, 20]), (2, 9, [5, 5, 20, 20]), (3, 1, [5, 5, 0, 20])]
    content = {
        "images": [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "gone.png"}],
        "categories": [{"id": 1, "name": "Face Mask"}],
        "annotations": [
            {"id": number, "image_id": 7, "category_id": category, "bbox": box}
            for number, category, box in boxes
        ],
    }
    (tmp_path / "labels.json").write_text(json.dumps(content))
    pictures = ("--pictures", tmp_path / "photos")
    run("import", "coco", tmp_path / "labels.json", *pictures, "--out", tmp_path / "out" / "set.json")
    (picture,) = stored(tmp_path / "out" / "set.json")
    assert picture.faces == (LabelledFace((5, 5, 20, 20), MASK),)
    reasons = refused_by(tmp_path / "out" / "set_refused.txt")
    assert reasons["gone.png"] == "picture is missing"
    assert reasons["labels.json:2"] == "class number that the file does not name"
    assert reasons["labels.json:3"] == "box of a pixel or less"
    # and training reads it
    (face,) = read_scenes(tmp_path / "out" / "set.json", load_manifest().class_ids, Refused())
    assert face.picture.is_file() and face.label == 0


def test_unknown_class_names_stop_and_can_be_mapped(tmp_path, capsys):
    save(tmp_path / "voc" / "a.png", blots(1))
    voc_file(tmp_path / "voc" / "a.xml", "a.png", ("helmet", (1, 1, 30, 30)), ("visage", (40, 1, 80, 30)))
    out = ("--out", tmp_path / "set.json")
    told = fail(capsys, "import", "voc", tmp_path / "voc", *out)
    assert "'helmet', 'visage'" in told and "--map 'helmet=CLASS'" in told
    assert not (tmp_path / "set.json").exists()
    assert "'visage=face'" in fail(capsys, "import", "voc", tmp_path / "voc", *out, "--map", "visage=face")
    run("import", "voc", tmp_path / "voc", *out, "--map", "Helmet=drop", f"visage={NO_MASK}")
    assert [face.label for face in stored(tmp_path / "set.json")[0].faces] == [NO_MASK]
    assert "mapped to drop" in (tmp_path / "set_refused.txt").read_text()


def test_folders_per_class_get_proposed_boxes(tmp_path, astronaut):
    save(tmp_path / "faces" / "without_mask" / "whole.png", astronaut)
    save(tmp_path / "faces" / "without_mask" / "tight.png", astronaut[62:178, 175:272])
    save(tmp_path / "faces" / "incorrect" / "nobody.png", np.full((80, 80, 3), 90, np.uint8))
    (tmp_path / "faces" / "with_mask").mkdir()
    run("import", "folders", tmp_path / "faces", "--out", tmp_path / "set.json")
    tight, whole = stored(tmp_path / "set.json")
    assert [face.label for face in (*whole.faces, *tight.faces)] == [NO_MASK, NO_MASK]
    assert iou_matrix([whole.faces[0].box], [[178, 63, 90, 113]])[0, 0] > 0.7
    assert tight.faces[0].box[2] > 60
    assert whole.faces[0].proposed
    reasons = refused_by(tmp_path / "set_refused.txt")
    assert reasons == {
        "nobody.png": "no face found in the picture",
        "with_mask": "class folder without pictures",
    }


def test_unlabelled_pictures_get_boxes_that_training_does_not_take_for_labels(tmp_path, astronaut):
    save(tmp_path / "web" / "a.png", astronaut)
    (tmp_path / "web" / "sources.csv").write_text("file,source,person\na.png,nasa,collins\n")
    run("import", "pictures", tmp_path / "web", "--out", tmp_path / "set.json")
    (picture,) = stored(tmp_path / "set.json")
    assert (picture.source, picture.person, picture.faces[0].label) == ("nasa", "collins", "unlabelled")
    refused = Refused()
    assert read_scenes(tmp_path / "set.json", load_manifest().class_ids, refused) == []
    assert "class 'unlabelled' is none of" in refused.report()
    pytest.importorskip("ai_edge_litert", reason="guessing classes needs LiteRT")
    run("import", "pictures", tmp_path / "web", "--guess", "--out", tmp_path / "guessed.json")
    (face,) = stored(tmp_path / "guessed.json")[0].faces
    assert face.label == NO_MASK and face.proposed


def test_maskedface_net_takes_each_face_once(tmp_path, astronaut):
    names = [f"FFHQ/00000/{number:05d}.png" for number in range(6)]
    names += [f"CMFD/00000/{number:05d}_Mask.jpg" for number in range(5)]
    names += ["IMFD/00000/00000_Mask_Mouth_Chin.jpg", "IMFD/00000/00001_Mask_Chin.jpg"]
    names += ["IMFD/00000/00002_Mask_Nose_Mouth.jpg", "CMFD/00000/readme.png"]
    for name in names:
        save(tmp_path / "net" / name, astronaut[40:200, 140:300])
    run("import", "maskedface-net", tmp_path / "net", "--out", tmp_path / "set.json")
    pictures = stored(tmp_path / "set.json")
    persons = [picture.person for picture in pictures]
    assert sorted(persons) == [f"ffhq:{number:05d}" for number in range(6)]
    labels = [face.label for picture in pictures for face in picture.faces]
    assert {label: labels.count(label) for label in (MASK, IMPROPER, NO_MASK)} == {
        MASK: 2,
        IMPROPER: 2,
        NO_MASK: 2,
    }
    for picture in pictures:
        number = picture.path.name
        expected = IMPROPER if "IMFD" in picture.path.parts else MASK if "Mask" in number else NO_MASK
        assert picture.faces[0].label == expected
    reasons = refused_by(tmp_path / "set_refused.txt")
    assert reasons["readme.png"].startswith("not named as MaskedFace-Net")
    assert list(reasons.values()).count("face that another picture shows already") == 8


def test_copies_are_found_however_they_were_made(tmp_path, astronaut):
    height, width = astronaut.shape[:2]
    quality = [cv2.IMWRITE_JPEG_QUALITY, 40]
    same = [
        cv2.resize(astronaut, (width // 3, height // 3), interpolation=cv2.INTER_AREA),
        cv2.resize(astronaut, (width, height // 2)),
        cv2.imdecode(cv2.imencode(".jpg", astronaut, quality)[1], cv2.IMREAD_COLOR),
        astronaut[:, ::-1],
        cv2.convertScaleAbs(astronaut, alpha=0.8, beta=20),
        cv2.GaussianBlur(astronaut, (0, 0), 2),
    ]
    others = [blots(number) for number in range(40)]
    hashes = np.stack([signs(image) for image in (astronaut, *same, *others)])
    found = {(first, second) for first, second, _ in near_pairs(hashes, COPY)}
    assert {(0, number) for number in range(1, len(same) + 1)} <= found
    assert all(second <= len(same) for _, second, _ in near_pairs(hashes, NEAR))


def test_deduplicate_keeps_the_first_across_sets_and_tells_of_the_rest(tmp_path, capsys):
    mine = a_set(tmp_path, MASK, NO_MASK)
    yours = a_set(tmp_path, NO_MASK, source="yours", start=70)
    copy = save(tmp_path / "yours" / "1.png", blots(1)[:, ::-1])
    run("deduplicate", mine, yours, "--out", tmp_path / "clean")
    assert len(stored(tmp_path / "clean" / "mine.json")) == 3
    assert [picture.path.name for picture in stored(tmp_path / "clean" / "yours.json")] == ["0.png"]
    with open(tmp_path / "clean" / "duplicates.csv") as file:
        (row,) = csv.DictReader(file)
    assert Path(row["dropped"]).resolve() == copy and row["same_labels"] == "no"
    assert copy.is_file()
    assert "exists" in fail(capsys, "deduplicate", mine, "--out", tmp_path / "clean")


@pytest.mark.parametrize("by", ["source", "person", "picture"])
def test_parts_share_nothing(tmp_path, by):
    random = np.random.default_rng(3)
    pictures = []
    for number in range(60):
        image = blots(number // 2 if number % 10 == 1 else number + 1000)
        path = save(tmp_path / f"{number}.png", image)
        label = (MASK, IMPROPER, NO_MASK)[random.integers(3)]
        face = LabelledFace((5, 5, 30, 30), label)
        pictures.append(Picture(path, 160, 120, (face,), f"s{number // 6}", f"p{number // 3}"))
    save(tmp_path / "59.png", blots(1000)[:, ::-1])  # as number 0, of another source and person
    parts = split(pictures, {"train": 0.6, "val": 0.2, "test": 0.2}, by, seed=1)
    assert sorted(p.path.name for part in parts.values() for p in part) == sorted(
        p.path.name for p in pictures
    )
    where = {picture.path.name: name for name, part in parts.items() for picture in part}
    assert where["0.png"] == where["59.png"]
    for key in {"source": ("source", "person"), "person": ("person",), "picture": ("person",)}[by]:
        for value in {getattr(picture, key) for picture in pictures}:
            assert len({where[p.path.name] for p in pictures if getattr(p, key) == value}) == 1
    assert 0.5 <= len(parts["train"]) / 60 <= 0.7
    assert split(pictures, {"train": 0.6, "val": 0.2, "test": 0.2}, by, seed=1) == parts


def test_one_source_cannot_be_split_by_source(tmp_path, capsys):
    mine = a_set(tmp_path, MASK, IMPROPER, NO_MASK)
    told = fail(capsys, "split", mine, "--out", tmp_path / "all")
    assert "4 pictures of 1 sources make 1 groups by source, too few for 2 parts" in told
    assert not list(tmp_path.glob("all_*"))
    run("split", mine, "--out", tmp_path / "all", "--by", "picture", "--parts", "train=3", "val=1")
    assert stored(tmp_path / "all_train.json") and stored(tmp_path / "all_val.json")


@pytest.mark.parametrize("text", ["train", "train=x", "train=0", "=1", "a b=1"])
def test_bad_parts_are_told(text):
    with pytest.raises(TrainingError, match="--parts"):
        parse_parts([text])


def test_report_counts_and_tells_what_sets_share(tmp_path, capsys):
    mine = a_set(tmp_path, MASK, MASK, NO_MASK)
    yours = a_set(tmp_path, NO_MASK, source="yours", start=2)
    run("report", mine, yours)
    told = capsys.readouterr().out
    assert "4 pictures (1 without a face), 3 faces (0 proposed)" in told
    assert "share 2 near-duplicate pictures" in told
    assert "32 to 63 px" in told
    assert "sources" not in told.partition("share")[2]


def test_groups_chain(tmp_path):
    numbers = grouped([["a"], ["a", "b"], ["b"], ["c"], ["d"]], [(3, 4)])
    assert len(set(numbers[:3])) == 1 and numbers[3] == numbers[4] != numbers[0]


def test_the_user_s_files_are_never_changed(tmp_path):
    source = a_set(tmp_path / "in", MASK, NO_MASK)
    before = {path: path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}
    run("import", "coco", source, "--out", tmp_path / "set.json")
    run("deduplicate", tmp_path / "set.json", "--out", tmp_path / "clean")
    run("export", "yolo", tmp_path / "set.json", "--out", tmp_path / "yolo")
    assert before == {path: path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}


@contextmanager
def full_disk() -> Iterator[None]:
    """Let this process write no file beyond 1000 bytes; only for as long as pytest itself writes nothing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_old_file(tmp_path):
    (tmp_path / "set.json").write_text("old")
    with full_disk(), pytest.raises(TrainingError, match="cannot write .*set.json: File too large"):
        write_file(tmp_path / "set.json", b"new" * 1000)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_full_disk_leaves_no_half_export(tmp_path, capsys):
    mine = a_set(tmp_path, MASK)
    with full_disk():
        told = fail(capsys, "export", "labelimg", mine, "--out", tmp_path / "hand")
    assert "cannot write" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "mine.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("import", "voc", "{}/absent", "--out", "{}/x.json"), "absent does not exist"),
        (("import", "voc", "{}", "--out", "{}/x.json"), "holds no usable picture as voc"),
        (("import", "yolo", "{}", "--out", "{}/x.json"), "names no classes"),
        (("import", "folders", "{}", "--out", "{}/x.json"), "has no sub-folder with pictures"),
        (("import", "maskedface-net", "{}", "--out", "{}/x.json"), "no file such as 00000_Mask.jpg"),
        (("import", "coco", "{}/no.json", "--out", "{}/x.json"), "no.json is no COCO file"),
        (("import", "coco", "{}/no.json", "--out", "{}/no.json"), "no.json exists"),
        (("report", "{}/gone.json"), "cannot read"),
    ],
)
def test_errors_name_what_is_wrong(tmp_path, capsys, arguments, message):
    (tmp_path / "no.json").write_text('{"images": []}')
    assert message in fail(capsys, *(text.format(tmp_path) for text in arguments))


def test_real_sets_are_read_as_they_are(shared_data):
    refused = Refused()
    pictures = coco.read(shared_data / "scenes_val.json", refused)
    assert (len(pictures), sum(len(picture.faces) for picture in pictures)) == (353, 475)
    assert {picture.source for picture in pictures} == {"pc260533", "youssef-t"}
    assert not refused.by_reason


@pytest.mark.parametrize("content", ["nc: 2\n", "names: [a\n", "names: {x: y}\n", "- a\n"])
def test_a_data_yaml_without_names_is_told(tmp_path, capsys, content):
    (tmp_path / "data.yaml").write_text(content)
    assert "data.yaml lists no class names" in fail(
        capsys, "import", "yolo", tmp_path, "--out", tmp_path / "set.json"
    )


def test_readers_can_be_used_without_the_command(tmp_path):
    refused = Refused()
    assert voc.read(tmp_path, refused) == []
    with pytest.raises(TrainingError, match="names no classes"):
        yolo.read(tmp_path, refused)
