"""Pictures without boxes: faces are proposed, and taken for labels only where a class is known."""

import cv2
import numpy as np
import pytest
from labelled_sets import IMPROPER, MASK, NO_MASK, fail, refused_by, run, save, stored

from mask_detector.boxes import iou_matrix
from mask_detector.model_store import load_manifest
from training.data import Refused, read_scenes


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


def test_classes_a_folder_further_down_are_to_be_imported_part_by_part(tmp_path, astronaut, capsys):
    for part, name in (("Train", "WithMask"), ("Test", "WithoutMask")):
        save(tmp_path / "faces" / part / name / "a.png", astronaut)
    told = fail(capsys, "import", "folders", tmp_path / "faces", "--out", tmp_path / "set.json")
    parts = f"{tmp_path / 'faces' / 'Test'}, {tmp_path / 'faces' / 'Train'}"
    assert f"the classes are a folder further down: import each of {parts}" in told
    run("import", "folders", tmp_path / "faces" / "Test", "--out", tmp_path / "set.json")
    assert stored(tmp_path / "set.json")[0].faces[0].label == NO_MASK


def test_a_face_in_the_middle_is_meant_before_a_larger_neighbour_at_the_edge(tmp_path, astronaut):
    face = astronaut[30:200, 140:300]  # of 90 x 113 pixels
    picture = np.full((400, 560, 3), 90, np.uint8)
    picture[115:285, 200:360] = face
    larger = cv2.resize(face, None, fx=1.3, fy=1.3)
    picture[90 : 90 + len(larger), -larger.shape[1] :] = larger
    save(tmp_path / "faces" / "no_mask" / "pair.png", picture)
    run("import", "folders", tmp_path / "faces", "--out", tmp_path / "set.json")
    (found,) = stored(tmp_path / "set.json")[0].faces
    assert iou_matrix([found.box], [[238, 148, 90, 113]])[0, 0] > 0.6


def test_unlabelled_pictures_get_boxes_that_training_does_not_take_for_labels(tmp_path, astronaut):
    save(tmp_path / "web" / "a.png", astronaut)
    save(tmp_path / "web" / "more" / "b.png", astronaut[:, ::-1])
    rows = ("file,source,person", r"more\b.png,nasa,collins", "a.pgn,nasa,collins", "")
    (tmp_path / "web" / "sources.csv").write_text("\n".join(rows))
    run("import", "pictures", tmp_path / "web", "--out", tmp_path / "set.json")
    other, picture = stored(tmp_path / "set.json")
    assert (picture.source, picture.person, picture.faces[0].label) == ("nasa", "collins", "unlabelled")
    assert (other.source, other.person) == ("web", "")
    assert refused_by(tmp_path / "set_refused.txt") == {"a.pgn": "row of sources.csv that names no file"}
    refused = Refused()
    assert read_scenes(tmp_path / "set.json", load_manifest().class_ids, refused) == []
    assert "class 'unlabelled' is none of" in refused.report()
    pytest.importorskip("ai_edge_litert", reason="guessing classes needs LiteRT")
    (tmp_path / "web" / "sources.csv").write_text("source,file\nnasa\n")  # a row that is cut short
    run("import", "pictures", tmp_path / "web", "--guess", "--out", tmp_path / "guessed.json")
    (face,) = stored(tmp_path / "guessed.json")[0].faces
    assert face.label == NO_MASK and face.proposed and face.guessed


def test_a_guessed_class_is_learnt_when_somebody_has_confirmed_it(tmp_path, astronaut, capsys):
    pytest.importorskip("ai_edge_litert", reason="guessing classes needs LiteRT")
    save(tmp_path / "web" / "a.png", astronaut)
    run("import", "pictures", tmp_path / "web", "--guess", "--out", tmp_path / "guessed.json")
    told = capsys.readouterr().out
    assert "1 boxes are proposed" in told and "1 classes are guessed" in told
    run("split", tmp_path / "guessed.json", "--by", "picture", "--parts", "all=1", "--out", tmp_path / "set")
    classes, refused = load_manifest().class_ids, Refused()
    assert read_scenes(tmp_path / "set_all.json", classes, refused) == []
    assert "class guessed, and confirmed by nobody" in refused.report()
    mended = read_scenes(tmp_path / "set_all.json", classes, Refused(), 1, {1: MASK})
    assert [face.label for face in mended] == [0]
    run("export", "labelimg", tmp_path / "set_all.json", "--out", tmp_path / "hand")
    run("import", "labelimg", tmp_path / "hand", "--out", tmp_path / "looked_at.json")
    (face,) = read_scenes(tmp_path / "looked_at.json", classes, Refused())
    assert face.label == classes.index(NO_MASK)


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
