"""Faces, classes and whole detections, with the shipped models on pictures."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mask_detector.classifiers import make_classifier
from mask_detector.crops import crop_faces
from mask_detector.demo_clip import portrait
from mask_detector.detection import Detection
from mask_detector.face_detectors import FACE_DETECTORS, FaceSearch, make_face_detector
from mask_detector.face_detectors.yunet import YuNet
from mask_detector.mask_drawing import NOSE_OUT, ON_CHIN, PROPER, draw_mask
from mask_detector.model_store import load_manifest
from mask_detector.pipeline import MaskDetector

FACE = (178, 63, 90, 113)


@pytest.fixture(scope="module")
def detector() -> MaskDetector:
    return MaskDetector(make_face_detector(), make_classifier())


@pytest.mark.parametrize("name", FACE_DETECTORS[1:])
def test_a_face_is_found_where_it_is(name, astronaut):
    (face,) = make_face_detector(name).detect(astronaut)
    assert face.shape == (15,)
    centre = face[:2] + face[2:4] / 2
    assert centre == pytest.approx((FACE[0] + FACE[2] / 2, FACE[1] + FACE[3] / 2), abs=20)
    assert 0.6 <= face[14] <= 1


@pytest.mark.parametrize("name", ["masked_yunet", "yunet"])
def test_the_points_are_the_person_s_own_right_and_left(name, astronaut):
    points = make_face_detector(name).detect(astronaut)[0, 4:14].reshape(5, 2)
    right_eye, left_eye, nose, right_mouth, left_mouth = points
    assert right_eye[0] < nose[0] < left_eye[0] and right_mouth[0] < left_mouth[0]
    assert right_eye[1] < nose[1] < right_mouth[1]


@pytest.mark.parametrize("name", ["masked_yunet", "yunet"])
@pytest.mark.parametrize("scale", [0.3, 1.0, 1.7])
def test_the_onnx_files_are_decoded_as_opencv_does_it(name, scale, astronaut):
    if tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 8):
        pytest.skip("OpenCV 4.8 was the first to read YuNet 2023mar by itself")
    picture = cv2.resize(np.hstack([astronaut[40:440], astronaut[40:440, ::-1]]), None, fx=scale, fy=scale)
    search = FaceSearch(input_size=2048)
    file = str(load_manifest().face_detector_files(name)["opencv"].path)
    theirs = cv2.FaceDetectorYN.create(file, "", (0, 0))
    theirs.setInputSize(picture.shape[1::-1])
    theirs.setScoreThreshold(search.score_threshold)
    _, expected = theirs.detect(picture)
    found = make_face_detector(name, file, search).detect(picture)
    assert len(found) == len(expected) == 2
    order = found[:, 0].argsort(), expected[:, 0].argsort()
    np.testing.assert_allclose(found[order[0]], expected[order[1]], atol=0.05)


@pytest.mark.parametrize("name", FACE_DETECTORS[1:])
@pytest.mark.parametrize(
    "size",
    [(48, 64), (1, 1), (7, 900), (900, 7), (33, 640), (64, 65), (30, 1200)],
    ids=lambda size: "{}x{}".format(*size),
)
@pytest.mark.parametrize("grey", [0, 90, 200])
def test_where_nobody_is_the_array_is_empty(name, size, grey):
    picture = np.full((*size, 3), grey, np.uint8)
    assert make_face_detector(name).detect(picture).shape == (0, 15)


@pytest.mark.parametrize("name", FACE_DETECTORS[1:])
@pytest.mark.parametrize("scale", [0.5, 3.0, 6.0])
def test_boxes_are_in_pixels_of_the_picture_given(name, scale, astronaut):
    picture = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    (face,) = make_face_detector(name).detect(picture)
    assert face[:4] / scale == pytest.approx(FACE, abs=25)


def test_without_litert_the_package_s_own_detector_runs_in_opencv(monkeypatch, astronaut):
    monkeypatch.setattr("mask_detector.runtimes.find_spec", lambda _: None)
    detector = make_face_detector()
    assert isinstance(detector, YuNet) and detector.name == "masked_yunet"
    assert len(detector.detect(astronaut)) == 1


@pytest.mark.parametrize("runtime", ["litert", "litert_int8", "opencv"])
def test_the_package_s_own_detector_finds_the_same_in_every_runtime(runtime, astronaut):
    files = load_manifest().face_detector_files("masked_yunet")
    assert all(file.bytes < 1_000_000 for file in files.values())
    (expected,) = make_face_detector("masked_yunet", str(files["opencv"].path)).detect(astronaut)
    (found,) = make_face_detector("masked_yunet", str(files[runtime].path)).detect(astronaut)
    exact = runtime != "litert_int8"
    np.testing.assert_allclose(found[:14], expected[:14], atol=0.01 if exact else 8)
    assert found[14] == pytest.approx(expected[14], abs=1e-4 if exact else 0.08)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(640, 480, 120), (480, 640, 120), (3840, 2160, 600), (64, 48, 24), (1200, 200, 90), (333, 777, 99)],
)
def test_pictures_of_every_shape_give_boxes_in_their_own_pixels(width, height, size, astronaut):
    x, y, w, h = FACE
    face = astronaut[y - h // 2 : y + h + h // 2, x - w : x + 2 * w]
    scale = size / h
    face = cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((height, width, 3), 128, np.uint8)
    top, left = max(0, (height - face.shape[0]) // 2), width - face.shape[1]
    part = face[: height - top, max(0, -left) :]
    picture[top : top + part.shape[0], width - part.shape[1] :] = part
    (found,) = make_face_detector(search=FaceSearch(min_size=8)).detect(picture)
    centre = found[:2] + found[2:4] / 2
    assert centre == pytest.approx((left + 1.5 * w * scale, top + h * scale), abs=0.2 * size)
    assert found[3] == pytest.approx(size, rel=0.35)


@pytest.mark.parametrize("name", ["masked_yunet", "yunet"])
def test_tiles_find_faces_that_are_too_far_for_the_whole_picture(name, astronaut):
    picture = np.full((2160, 3840, 3), 100, np.uint8)
    small = cv2.resize(astronaut, (160, 160), interpolation=cv2.INTER_AREA)  # a face of 28 x 35 pixels
    places = [(40, 60), (1850, 1000), (3600, 1900), (1300, 1500)]
    for left, top in places:
        picture[top : top + 160, left : left + 160] = small
    detector = make_face_detector(name)
    assert len(detector.detect(picture)) == 0
    detector.search = FaceSearch(tiles=4)
    found = detector.detect(picture)
    expected = [(left + FACE[0] * 160 / 512, top + FACE[1] * 160 / 512) for left, top in places]
    assert len(found) == len(places)
    for corner in expected:
        assert np.abs(found[:, :2] - corner).max(axis=1).min() < 10
        landmarks = found[np.abs(found[:, :2] - corner).max(axis=1).argmin(), 4:14].reshape(5, 2)
        assert ((landmarks > corner) & (landmarks < np.add(corner, 45))).all()


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (FaceSearch(), 1),
        (FaceSearch(min_size=150), 0),
        (FaceSearch(max_size=50), 0),
        (FaceSearch(max_size=150), 1),
        (FaceSearch(score_threshold=0.99), 0),
    ],
)
def test_the_search_can_be_narrowed_between_two_pictures(search, found, astronaut):
    detector = make_face_detector("yunet")
    assert len(detector.detect(astronaut)) == 1
    detector.search = search
    assert len(detector.detect(astronaut)) == found


@pytest.mark.parametrize(
    ("wearing", "class_id"),
    [(None, "no_mask"), (PROPER, "mask"), (NOSE_OUT, "improper_mask"), (ON_CHIN, "improper_mask")],
    ids=["bare", "proper", "nose out", "on the chin"],
)
def test_a_mask_is_told_by_how_it_is_worn(detector, wearing, class_id):
    face = make_face_detector("yunet").detect(portrait())[0]
    picture = portrait() if wearing is None else draw_mask(portrait(), face[4:14], wearing)
    (detection,) = detector.detect(picture)
    assert detection.class_id == class_id
    assert detection.score == max(detection.scores.values())
    assert sum(detection.scores.values()) == pytest.approx(1, abs=1e-4)


def test_boxes_stay_inside_a_picture_that_cuts_a_face(detector, astronaut):
    for picture in (astronaut[90:], astronaut[:, 215:], astronaut[:150, :235]):
        height, width = picture.shape[:2]
        for detection in detector.detect(picture):
            x, y, w, h = detection.box
            assert 0 <= x < x + w <= width and 0 <= y < y + h <= height


def test_people_come_from_left_to_right_and_do_not_depend_on_each_other(detector, astronaut):
    (alone,) = detector.detect(astronaut)
    both = detector.detect(np.hstack([astronaut, astronaut]))
    assert [one.box[0] for one in both] == sorted(one.box[0] for one in both) and len(both) == 2
    for one in both:
        assert one.score == pytest.approx(alone.score, abs=0.1)


def test_a_detection_survives_json(detector, astronaut):
    (detection,) = detector.detect(astronaut)
    entry = json.loads(json.dumps(detection.to_json()))
    assert list(entry) == ["box", "class_id", "score", "scores", "id"]
    again = Detection.from_json(entry)
    assert again.class_id == detection.class_id
    assert again.box == pytest.approx(detection.box, abs=0.01)


def test_the_runtimes_agree(shared_data: Path):
    """LiteRT and Keras give the same class, and scores within 0.02, on real faces."""
    pytest.importorskip("tensorflow", reason="the keras runtime needs TensorFlow")
    content = json.loads((shared_data / "scenes_val.json").read_text())
    names = {image["id"]: image["file_name"] for image in content["images"]}
    litert, keras = (make_classifier(runtime=runtime) for runtime in ("litert", "keras"))
    size, margin = litert.info.input_size, litert.info.crop_margin
    faces = [entry for entry in content["annotations"] if min(entry["bbox"][2:]) >= 32][::4]
    crops = [
        crop_faces(cv2.imread(str(shared_data / names[face["image_id"]])), [face["bbox"]], size, margin)
        for face in faces
    ]
    first, second = litert.classify(np.concatenate(crops)), keras.classify(np.concatenate(crops))
    assert len(first) >= 100
    assert np.abs(first - second).max() <= 0.02
    np.testing.assert_array_equal(first.argmax(axis=1), second.argmax(axis=1))


def test_the_runtimes_agree_on_the_portrait(astronaut):
    pytest.importorskip("tensorflow", reason="the keras runtime needs TensorFlow")
    litert, keras = (make_classifier(runtime=runtime) for runtime in ("litert", "keras"))
    crops = crop_faces(astronaut, [FACE], litert.info.input_size, litert.info.crop_margin)
    np.testing.assert_allclose(litert.classify(crops), keras.classify(crops), atol=0.02)
    assert litert.classify(crops[:0]).shape == keras.classify(crops[:0]).shape == (0, 4)


@pytest.mark.parametrize("runtime", ["litert", "litert_int8"])
def test_a_face_alone_is_told_as_among_others(astronaut, runtime):
    """Alone it has all threads, among others one of its own."""
    classifier = make_classifier(runtime=runtime, threads=2)
    faces = [(*FACE[:2], FACE[2] + wider, FACE[3]) for wider in range(5)]
    crops = crop_faces(astronaut, faces, classifier.info.input_size, classifier.info.crop_margin)
    alone = np.concatenate([classifier.classify(crops[i : i + 1]) for i in range(len(crops))])
    np.testing.assert_allclose(classifier.classify(crops), alone, atol=1e-5)


def test_the_shipped_classifier_keeps_its_promise(shared_data: Path):
    """Macro-F1 of 0.92 and more on validation faces with a shorter side of 32 px and more."""
    content = json.loads((shared_data / "scenes_val.json").read_text())
    names = {image["id"]: image["file_name"] for image in content["images"]}
    class_names = {entry["id"]: entry["name"] for entry in content["categories"]}
    classifier, class_ids = make_classifier(), load_manifest().class_ids
    confusion = np.zeros((3, 3), int)
    for face in content["annotations"]:
        if min(face["bbox"][2:]) >= 32:
            image = cv2.imread(str(shared_data / names[face["image_id"]]))
            crop = crop_faces(image, [face["bbox"]], classifier.info.input_size, classifier.info.crop_margin)
            truth = class_ids.index(class_names[face["category_id"]])
            confusion[truth, classifier.classify(crop)[0, : len(class_ids)].argmax()] += 1
    assert confusion.sum() > 400
    f1 = 2 * confusion.diagonal() / (confusion.sum(axis=0) + confusion.sum(axis=1))
    assert f1.mean() >= 0.92


def test_the_default_runtime_needs_no_tensorflow():
    code = (
        "import sys; from mask_detector.classifiers import make_classifier; make_classifier();"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'rclpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode == 0


def test_tiles_fit_into_pictures_of_any_shape(astronaut):
    detector = make_face_detector(search=FaceSearch(tiles=3, min_size=1))
    for height, width in ((1, 5000), (5000, 1), (2, 2), (3, 700)):
        assert len(detector.detect(np.ascontiguousarray(np.resize(astronaut, (height, width, 3))))) == 0
