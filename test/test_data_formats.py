"""Labelled pictures in every format, in and out, by hand and as others have published them."""

import hashlib
import json

import numpy as np
import pytest
from labelled_sets import IMPROPER, MASK, NO_MASK, a_set, blots, fail, refused_by, run, save, stored, voc_file

from mask_detector.model_store import load_manifest
from training.data import Refused, read_scenes
from training.errors import TrainingError
from training.formats import coco, voc, yolo
from training.formats.base import LabelledFace


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
