"""Drawn masks: where they lie, what they leave alone, how they follow head and light, and what is refused."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mask_detector.classifiers import make_classifier
from mask_detector.crops import Image, crop_faces
from mask_detector.face_detectors import make_face_detector
from mask_detector.model_store import load_manifest
from training.config import load_config
from training.data import Refused, read_scenes
from training.formats import coco
from training.formats.base import LabelledFace, Picture
from training.masks import WAYS, FaceFrame, draw_mask, face_frame, refusal
from training.masks.cloth import KINDS
from training.masks.frame import _turn
from training.synthesise import main

MASK, IMPROPER, NO_MASK = load_manifest().class_ids
LANDMARKS = ((200, 102), (247, 102), (220, 124), (199, 142), (240, 143))  # of the face in the portrait


def a_face(landmarks: object = LANDMARKS) -> np.ndarray:
    return np.concatenate([[178, 63, 90, 113], np.ravel(landmarks), [0.9]]).astype(np.float32)


@pytest.fixture
def frame() -> FaceFrame:
    found = face_frame(a_face())
    assert found
    return found


def changed(before: Image, after: Image) -> np.ndarray:
    return np.abs(before.astype(int) - after).max(axis=2) > 25


def at(image: np.ndarray, frame: FaceFrame, x: float, y: float, z: float = 0.1) -> np.ndarray:
    column, row = frame.at(np.array([x, y, z])).round().astype(int)
    return image[row, column]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("way", "covered", "free"),
    [
        ("worn", [(0, 0.66, 0.4), (0, 1.1, 0.1), (0.4, 1.1, 0.1)], [(0, -0.4, 0), (0.5, 0, 0), (-0.5, 0, 0)]),
        ("below_nose", [(0, 1.15, 0.1), (0.3, 1.3, 0.1)], [(0, 0.4, 0.2), (0, 0.62, 0.4), (0.5, 0, 0)]),
        ("on_chin", [(0, 1.75, 0.0)], [(0, 0.62, 0.4), (0, 1.05, 0.1), (0.3, 1.05, 0.1), (-0.3, 1.05, 0.1)]),
        ("from_ear", [], [(0, 0.62, 0.4), (0, 1.05, 0.1), (0.5, 0, 0), (-0.5, 0, 0)]),
        ("over_eyes", [(0.5, 0, 0), (-0.5, 0, 0)], [(0, 1.05, 0.1), (0.4, 1.08, 0.03)]),
        ("scarf", [(0, 2.5, -0.2)], [(0, 0.62, 0.4), (0, 1.05, 0.1), (0.5, 0, 0), (-0.5, 0, 0)]),
    ],
)
def test_each_way_covers_and_frees_what_it_should(astronaut, frame, way, covered, free, kind):
    green = np.full_like(astronaut, (40, 200, 60))  # nothing drawn is of this colour
    for seed in range(6):
        drawn = draw_mask(green, frame, way, np.random.default_rng(seed), kind)
        hidden = changed(green, drawn)
        assert all(at(hidden, frame, *place) for place in covered), seed
        assert not any(at(hidden, frame, *place) for place in free), seed
        assert hidden.sum() > 200
        assert not hidden[:60].any() and not hidden[:, :100].any()


def test_drawing_depends_on_the_seed_alone_and_leaves_the_picture(astronaut, frame):
    before = astronaut.copy()
    drawn = [draw_mask(astronaut, frame, "worn", np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert (astronaut == before).all()
    assert (drawn[0] == drawn[1]).all() and (drawn[0] != drawn[2]).any()
    assert drawn[0].dtype == np.uint8 and drawn[0].shape == astronaut.shape


def test_masks_take_the_light_of_the_picture(astronaut, frame):
    def grey(image: Image) -> float:
        drawn = draw_mask(image, frame, "worn", np.random.default_rng(4), "surgical")
        return float(drawn[changed(image, drawn)].mean())

    assert grey((astronaut * 0.3).astype(np.uint8)) < 0.6 * grey(astronaut)


def test_masks_are_as_soft_as_the_picture(astronaut, frame):
    def detail(image: Image) -> float:
        drawn = draw_mask(image, frame, "worn", np.random.default_rng(3), "cloth")
        return float(np.abs(cv2.Laplacian(drawn, cv2.CV_32F))[115:160, 195:250].mean())

    assert detail(cv2.GaussianBlur(astronaut, (0, 0), 2.5)) < 0.5 * detail(astronaut)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 0, 0), (0.5, 0, 0), (-0.6, 0.1, 0.3), (0.2, -0.2, -0.6)]
)
def test_the_frame_follows_a_turned_head(yaw, pitch, roll):
    head = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.64, 0.42], [-0.4, 1.08, 0.03], [0.4, 1.08, 0.03]])
    seen = 50 * head @ _turn(yaw, pitch, roll)[:2].T + (200, 150)
    found = face_frame(a_face(seen))
    assert np.abs(found.at(head) - seen).max() < 2.5
    assert found.scale == pytest.approx(50, rel=0.1)
    chin = np.array([0, 1.8, 0.05])
    assert np.abs(found.at(chin) - (50 * chin @ _turn(yaw, pitch, roll)[:2].T + (200, 150))).max() < 8


@pytest.mark.parametrize(
    ("landmarks", "reason"),
    [
        (np.full((5, 2), np.nan), "detector gives no landmarks"),
        (np.array(LANDMARKS) * 0.2, "face too small"),
        (((200, 102), (212, 102), (228, 124), (201, 142), (211, 143)), "face turned too far aside"),
    ],
)
def test_faces_that_cannot_be_done_are_refused_with_the_reason(landmarks, reason):
    assert refusal(a_face(landmarks)).startswith(reason)
    assert face_frame(a_face(landmarks)) is None


@pytest.mark.parametrize("move", [(-220, 0), (260, 0), (0, 330), (-200, -100)])
def test_a_face_at_the_edge_of_the_picture_is_drawn_as_far_as_it_shows(astronaut, move):
    frame = face_frame(a_face(np.array(LANDMARKS) + move))
    for way in WAYS:
        assert draw_mask(astronaut, frame, way, np.random.default_rng(1)).shape == astronaut.shape


@pytest.mark.parametrize("scale", [0.3, 4.0])
def test_small_and_large_faces_are_drawn_alike(astronaut, scale):
    image = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame, usual = face_frame(a_face(np.array(LANDMARKS) * scale)), face_frame(a_face())
    drawn = draw_mask(image, frame, "worn", np.random.default_rng(5), "cloth")
    wanted = draw_mask(astronaut, usual, "worn", np.random.default_rng(5), "cloth")
    share = changed(image, drawn).mean() / changed(astronaut, wanted).mean()
    assert share == pytest.approx(1, abs=0.12)


def bare_set(folder: Path, astronaut: Image) -> Path:
    """Two people: one bare, one who is said to wear a mask."""
    pytest.importorskip("ai_edge_litert", reason="the classifier needs LiteRT")
    path = folder / "two.png"
    cv2.imwrite(str(path), np.hstack([astronaut, astronaut]))
    faces = (LabelledFace((178, 63, 90, 113), NO_MASK), LabelledFace((690, 63, 90, 113), MASK))
    coco.write(folder / "bare.json", [Picture(path, 1024, 512, faces, "nasa", "collins")])
    return folder / "bare.json"


def test_labelled_bare_faces_receive_masks_in_every_way(tmp_path, astronaut):
    bare, ways = bare_set(tmp_path, astronaut), load_config().synthesis.ways
    sheet = tmp_path / "sheet.png"
    main([str(bare), "--out", str(tmp_path / "drawn"), "--copies", str(len(ways)), "--sheet", str(sheet)])
    pictures = coco.read(tmp_path / "drawn.json", Refused())
    assert [(p.source, p.person, len(p.faces)) for p in pictures] == [("nasa", "collins", 2)] * len(ways)
    drawn = [face.label for picture in pictures for face in picture.faces if face.box[0] < 500]
    assert drawn == list(ways.values())
    assert all(face.label == MASK for picture in pictures for face in picture.faces if face.box[0] > 500)
    assert len(read_scenes(tmp_path / "drawn.json", load_manifest().class_ids, Refused())) == 2 * len(ways)
    assert cv2.imread(str(sheet)).shape == (160, len(ways) * 160, 3)
    for picture in pictures:
        right = cv2.imread(str(picture.path))[:, 600:]
        assert np.abs(right.astype(int) - np.hstack([astronaut] * 2)[:, 600:]).mean() < 4  # only JPEG's doing


def test_a_label_that_the_classifier_doubts_is_not_drawn_on(tmp_path, astronaut, capsys):
    bare = bare_set(tmp_path, astronaut)
    masked = draw_mask(astronaut, face_frame(a_face()), "worn", np.random.default_rng(0), "surgical")
    cv2.imwrite(str(tmp_path / "two.png"), np.hstack([masked, astronaut]))
    with pytest.raises(SystemExit):
        main([str(bare), "--out", str(tmp_path / "drawn")])
    assert "labelled no_mask, but the classifier calls it mask (such as two.png)" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_set(tmp_path, astronaut):
    bare = str(bare_set(tmp_path, astronaut))
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        main([bare, "--out", str(tmp_path / name), "--copies", "2", "--seed", str(seed)])
    a, b, c = ([path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in "abc")
    assert a == b != c


def test_pictures_without_labels_are_judged_by_the_classifier(tmp_path, astronaut, capsys):
    pytest.importorskip("ai_edge_litert", reason="the classifier needs LiteRT")
    folder = tmp_path / "people"
    folder.mkdir()
    cv2.imwrite(str(folder / "bare.png"), astronaut)
    masked = draw_mask(astronaut, face_frame(a_face()), "worn", np.random.default_rng(0), "surgical")
    cv2.imwrite(str(folder / "masked.png"), masked)
    cv2.imwrite(str(folder / "nobody.png"), np.full((90, 90, 3), 80, np.uint8))
    main([str(folder), "--out", str(tmp_path / "drawn"), "--copies", "1"])
    told = capsys.readouterr().out
    assert "1 pictures with 1 mask" in told
    assert "face that the classifier calls mask (such as masked.png)" in told
    assert "no face found in the picture (such as nobody.png)" in told


def test_nothing_to_draw_on_and_results_that_exist_are_told(tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "nobody.png"), np.full((90, 90, 3), 80, np.uint8))
    for prepare, message in (
        (lambda: None, "no face to draw on"),
        (tmp_path.joinpath("drawn").mkdir, "exists"),
    ):
        prepare()
        with pytest.raises(SystemExit) as end:
            main([str(tmp_path / "nobody.png"), "--out", str(tmp_path / "drawn")])
        assert end.value.code == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "drawn.json").exists()


def test_a_classifier_of_real_pictures_takes_worn_masks_for_real(shared_data):
    pytest.importorskip("ai_edge_litert", reason="the classifier needs LiteRT")
    content = json.loads((shared_data / "scenes_val.json").read_text())
    names = {image["id"]: image["file_name"] for image in content["images"]}
    classifier, detector = make_classifier(), make_face_detector()
    crops = []
    for entry in content["annotations"]:
        if entry["category_id"] == 3 and min(entry["bbox"][2:]) >= 100 and len(crops) < 12:
            image = cv2.imread(str(shared_data / names[entry["image_id"]]))
            found = detector.detect(image)
            if len(found) == 1 and (frame := face_frame(found[0])):
                drawn = draw_mask(image, frame, "worn", np.random.default_rng(len(crops)))
                info = classifier.info
                crops.append(crop_faces(drawn, found[:1, :4], info.input_size, info.crop_margin)[0])
    taken = classifier.classify(np.stack(crops)).argmax(axis=1)
    assert (taken == load_manifest().class_ids.index(MASK)).mean() >= 0.8
