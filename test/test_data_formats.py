"""Labelled pictures in every format, in and out, by hand and as others have published them."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from labelled_sets import IMPROPER, MASK, NO_MASK, a_set, blots, fail, refused_by, run, save, stored, voc_file

from mask_detector.model_store import load_manifest
from training.data import Refused, read_scenes
from training.errors import TrainingError
from training.formats import coco, voc, yolo
from training.formats.base import LabelledFace, Picture


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


def test_text_files_that_are_no_text_are_told(tmp_path, capsys):
    yolo_picture(tmp_path, "a.png", "a.txt")
    yolo_picture(tmp_path, "b.png", "b.txt")
    (tmp_path / "classes.txt").write_text(MASK)
    (tmp_path / "b.txt").write_bytes(b"\xe9")
    refused = Refused()
    assert [picture.path.name for picture in yolo.read(tmp_path, refused)] == ["a.png"]
    assert refused.by_reason == {"label file that is no text": [str(tmp_path / "b.txt")]}
    (tmp_path / "classes.txt").write_bytes(b"\xe9")
    assert "classes.txt lists no class names" in fail(
        capsys, "import", "yolo", tmp_path, "--out", tmp_path / "set.json"
    )


@pytest.mark.parametrize("content", ["nc: 2\n", "names: [a\n", "names: {x: y}\n", "- a\n"])
def test_a_data_yaml_without_names_is_told(tmp_path, capsys, content):
    (tmp_path / "data.yaml").write_text(content)
    assert "data.yaml lists no class names" in fail(
        capsys, "import", "yolo", tmp_path, "--out", tmp_path / "set.json"
    )


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


def yolo_picture(folder: Path, picture: str, labels: str = "", line: str = "0 0.5 0.5 0.25 0.5\n") -> None:
    save(folder / picture, blots(len(picture)))
    if labels:
        (folder / labels).parent.mkdir(parents=True, exist_ok=True)
        (folder / labels).write_text(line)


def test_each_yolo_set_below_a_folder_goes_by_the_class_list_nearest_to_it(tmp_path, capsys):
    for part, names in (("a", [MASK, NO_MASK]), ("b", [NO_MASK, MASK])):
        yolo_picture(tmp_path / "yolo" / part, f"images/{part}.png", f"labels/{part}.txt")
        (tmp_path / "yolo" / part / "data.yaml").write_text(f"names: {names}")
    run("import", "yolo", tmp_path / "yolo", "--out", tmp_path / "set.json")
    assert [picture.faces[0].label for picture in stored(tmp_path / "set.json")] == [MASK, NO_MASK]
    yolo_picture(tmp_path / "yolo", "c.png", "c.txt")
    told = fail(capsys, "import", "yolo", tmp_path / "yolo", "--out", tmp_path / "other.json")
    assert "a/data.yaml and" in told and "different class names: leave one of them" in told


def test_yolo_polygons_byte_order_marks_and_the_data_yaml_itself(tmp_path):
    lines = "\ufeff0 0.25 0.25 0.75 0.25 0.75 0.75 0.5 0.5\n0 0.5 0.5 0.5 0.5\n"
    yolo_picture(tmp_path, "a.png", "a.txt", lines)
    (tmp_path / "data.yaml").write_text(f"names: [{MASK}]")
    run("import", "yolo", tmp_path / "data.yaml", "--out", tmp_path / "set.json")
    (picture,) = stored(tmp_path / "set.json")
    assert [face.box for face in picture.faces] == [(40, 30, 80, 60)] * 2


def test_a_voc_file_is_of_the_picture_with_its_own_name_whatever_name_stands_in_it(tmp_path):
    for number, label in enumerate((MASK, NO_MASK)):
        save(tmp_path / "voc" / f"{number}.png", blots(number))
        voc_file(tmp_path / "voc" / f"{number}.xml", "0.png", (label, (10, 20, 50, 70)))
    run("import", "voc", tmp_path / "voc", "--out", tmp_path / "set.json")
    found = {picture.path.name: picture.faces[0].label for picture in stored(tmp_path / "set.json")}
    assert found == {"0.png": MASK, "1.png": NO_MASK}


def test_a_picture_that_two_label_files_claim_is_refused(tmp_path):
    save(tmp_path / "voc" / "0.png", blots(0))
    for name, label in (("x", MASK), ("y", NO_MASK), ("z", MASK)):
        voc_file(tmp_path / "voc" / f"{name}.xml", "0.png", (label, (10, 20, 50, 70)))
    refused = Refused()
    assert voc.read(tmp_path / "voc", refused) == []
    assert [len(names) for names in refused.by_reason.values()] == [3]
    assert "several label files claim its picture" in refused.by_reason


def test_links_keep_their_names_and_numbered_copies_their_pictures(tmp_path):
    names = ["x/a.jpg", "y/a.jpg", "z/a_1.jpg", "z/classes.jpg"]
    save(tmp_path / "store.png", blots(9)).rename(tmp_path / "store")  # as stores by content keep them
    for number, name in enumerate(names):
        save(tmp_path / "mask" / name, blots(number))
    (tmp_path / "mask" / "linked.png").symlink_to(tmp_path / "store")
    faces = (LabelledFace((10, 10, 40, 40), MASK),)
    pictures = [Picture(tmp_path / "mask" / name, 160, 120, faces, "s") for name in (*names, "linked.png")]
    coco.write(tmp_path / "set.json", pictures)
    run("export", "yolo", tmp_path / "set.json", "--out", tmp_path / "hand")
    run("import", "yolo", tmp_path / "hand", "--out", tmp_path / "back.json")
    contents = {picture.path.read_bytes() for picture in stored(tmp_path / "back.json")}
    assert contents == {picture.path.read_bytes() for picture in pictures}


@pytest.mark.parametrize(
    ("one", "other"),
    [("anna/{}", "bert/{}"), ("train/{images,annotations}/{}", "valid/{images,annotations}/{}")],
)
def test_voc_files_of_the_same_name_are_those_of_the_picture_beside_them(tmp_path, one, other):
    folder = tmp_path / "voc"
    for number, place in enumerate((one, other)):
        picture, labels = (place.replace("{images,annotations}", part) for part in ("images", "annotations"))
        save(folder / picture.format("0.png"), blots(number))
        voc_file(folder / labels.format("0.xml"), "0.png", ((MASK, NO_MASK)[number], (10, 20, 50, 70)))
    run("import", "voc", folder, "--out", tmp_path / "set.json")
    first, second = (one.split("/")[0], MASK), (other.split("/")[0], NO_MASK)
    pictures = stored(tmp_path / "set.json")
    found = [(picture.path.relative_to(folder).parts[0], picture.faces[0].label) for picture in pictures]
    assert found == [first, second]
    assert not (tmp_path / "set_refused.txt").read_text()


def test_voc_files_that_may_be_of_several_pictures_or_of_a_lost_one_are_refused(tmp_path):
    folder = tmp_path / "voc"
    for name in ("a/0.png", "b/0.png", "a/1.png"):
        save(folder / name, blots(len(name)))
    for name in ("0", "1"):
        voc_file(folder / "xml" / f"{name}.xml", f"{name}.png", (MASK, (10, 20, 50, 70)))
    voc_file(folder / "a" / "1.xml", "1.png", (NO_MASK, (10, 20, 50, 70)))
    run("import", "voc", folder, "--out", tmp_path / "set.json")
    (picture,) = stored(tmp_path / "set.json")
    assert (picture.path.name, picture.faces[0].label) == ("1.png", NO_MASK)
    reasons = refused_by(tmp_path / "set_refused.txt")
    assert reasons == {"0.xml": "several pictures have its name", "1.xml": "picture is missing"}


def test_a_yolo_picture_without_a_text_file_does_not_take_that_of_another_folder(tmp_path):
    folder = tmp_path / "yolo"
    yolo_picture(folder, "train/images/0001.png")
    yolo_picture(folder, "valid/images/0001.png", "valid/labels/0001.txt")
    yolo_picture(folder, "images/day/7.png", "labels/day/7.txt")
    yolo_picture(folder, "images/night/7.png", "labels/night/7.txt", "")
    (folder / "classes.txt").write_text(MASK)
    run("import", "yolo", folder, "--out", tmp_path / "set.json")
    counts = {str(p.path.relative_to(folder)): len(p.faces) for p in stored(tmp_path / "set.json")}
    assert counts == {"valid/images/0001.png": 1, "images/day/7.png": 1, "images/night/7.png": 0}
    assert (tmp_path / "set_refused.txt").read_text().startswith("picture without a label file\t")


@pytest.mark.parametrize(
    ("stated", "box", "reason"),
    [
        ((1600, 1200), (10, 20, 40, 50), ""),
        ((0, 0), (1, 2, 4, 5), ""),
        ((120, 160), (), "labelled before it was turned"),
        ((160, 160), (), "labelled in another shape"),
    ],
)
def test_boxes_fit_the_picture_or_are_refused(tmp_path, stated, box, reason):
    scale = 10 if stated[0] == 1600 else 1
    save(tmp_path / "in" / "a.png", blots(1))
    x, y, width, height = [scale * value for value in (box or (1, 2, 4, 5))]
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [x, y, width, height]}
    image = {"id": 1, "file_name": "a.png", "width": stated[0], "height": stated[1]}
    content = {"images": [image], "categories": [{"id": 1, "name": MASK}], "annotations": [annotation]}
    (tmp_path / "in" / "labels.json").write_text(json.dumps(content))
    voc_file(tmp_path / "in" / "a.xml", "a.png", (MASK, (x, y, x + width, y + height)), size=stated)
    for read, path in ((coco.read_foreign, tmp_path / "in" / "labels.json"), (voc.read, tmp_path / "in")):
        refused = Refused()
        pictures = read(path, refused)
        assert [picture.faces[0].box for picture in pictures] == ([box] if box else [])
        assert [told[: len(reason)] for told in refused.by_reason] == ([reason] if reason else [])
        assert all((picture.width, picture.height) == (160, 120) for picture in pictures)


def test_a_photo_that_is_turned_by_its_exif_was_not_labelled_so(tmp_path):
    path = save(tmp_path / "in" / "a.jpg", blots(1, (80, 60)))
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    marker = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big")
    path.write_bytes(path.read_bytes()[:2] + marker + exif + path.read_bytes()[2:])
    voc_file(tmp_path / "in" / "a.xml", "a.jpg", (MASK, (50, 10, 75, 40)), size=(80, 60))
    refused = Refused()
    assert voc.read(tmp_path / "in", refused) == []
    assert "labelled before it was turned" in refused.report()


def test_an_annotation_that_is_no_face_is_refused_alone(tmp_path):
    save(tmp_path / "a.png", blots(1))
    bad = [{}, {"bbox": None}, {"bbox": []}, {"bbox": [1, 2, 3]}, {"bbox": [5, 5, 20, 20], "iscrowd": 1}]
    fields = [{"bbox": [5, 5, 20, 20], "iscrowd": 0}, *bad]
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "categories": [{"id": 1, "name": MASK}],
        "annotations": [{"id": n, "image_id": 1, "category_id": 1} | own for n, own in enumerate(fields)],
    }
    (tmp_path / "set.json").write_text(json.dumps(content))
    for read in (coco.read, coco.read_foreign):
        refused = Refused()
        (picture,) = read(tmp_path / "set.json", refused)
        assert len(picture.faces) == 1
        assert {reason: len(names) for reason, names in refused.by_reason.items()} == {
            "box is not four numbers": 4,
            "box around a crowd": 1,
        }
    trained = Refused()
    assert len(read_scenes(tmp_path / "set.json", load_manifest().class_ids, trained)) == 1
    assert trained.by_reason.keys() == refused.by_reason.keys()


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


def test_readers_can_be_used_without_the_command(tmp_path):
    refused = Refused()
    assert voc.read(tmp_path, refused) == []
    with pytest.raises(TrainingError, match="names no classes"):
        yolo.read(tmp_path, refused)


def test_real_sets_are_read_as_they_are(shared_data):
    refused = Refused()
    pictures = coco.read(shared_data / "scenes_val.json", refused)
    assert (len(pictures), sum(len(picture.faces) for picture in pictures)) == (353, 475)
    assert {picture.source for picture in pictures} == {"pc260533", "youssef-t"}
    assert not refused.by_reason
