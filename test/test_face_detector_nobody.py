"""Nothing is found where no people are, and what the face detector learns that from."""

import dataclasses

import cv2
import numpy as np
import pytest

from mask_detector.classifiers import make_classifier
from mask_detector.face_detectors import FaceDetector, FaceSearch, make_face_detector
from mask_detector.follow.people import People
from mask_detector.follow.video_detector import VideoDetector
from mask_detector.frame_sources import open_source
from mask_detector.model_store import load_manifest
from mask_detector.pipeline import MaskDetector
from training.errors import TrainingError
from training.face_detector.backgrounds import background_lessons, people_free, read_people_free
from training.face_detector.drawn import pattern
from training.face_detector.nobody import MASKED, PATTERNS, PICTURES, pictures_of_nobody
from training.face_detector.report import found_in
from training.face_detector.scenes import Lesson
from training.face_detector.settings import load_detector_config
from training.face_detector.statues import statue_lessons
from training.face_detector.targets import BOX, COLUMNS, FACE, KIND, KNOWN, POINTS

FIRST, SECOND = range(2)


def in_runtime(runtime: str) -> FaceDetector:
    return make_face_detector(
        "masked_yunet", str(load_manifest().face_detector_files("masked_yunet")[runtime].path)
    )


@pytest.fixture(scope="module")
def shipped():
    return make_face_detector("masked_yunet")


@pytest.fixture(scope="module")
def teacher():
    return make_face_detector("yunet", search=FaceSearch(score_threshold=0.1, min_size=1))


@pytest.fixture(scope="module")
def grey_owl(tmp_path_factory):
    """A folder with a cut-out that has something of a face: two round eyes and a beak, but nobody."""
    owl = np.zeros((300, 260, 4), np.uint8)
    cv2.ellipse(owl, (130, 150), (110, 140), 0, 0, 360, (140, 150, 160, 255), -1)
    for x in (85, 175):
        cv2.circle(owl, (x, 110), 32, (90, 200, 230, 255), -1)
        cv2.circle(owl, (x, 110), 14, (10, 10, 10, 255), -1)
    cv2.fillConvexPoly(owl, np.array([[120, 140], [140, 140], [130, 180]]), (60, 120, 160, 255))
    folder = tmp_path_factory.mktemp("owls")
    cv2.imwrite(str(folder / "owl.png"), owl)
    return folder


def test_pictures_come_from_folders_and_from_names_with_wildcards(grey_owl):
    (grey_owl / "notes.txt").write_text("no picture")
    assert [path.name for path in people_free(grey_owl.parent, [grey_owl.name])] == ["owl.png"]
    assert [path.name for path in people_free(grey_owl, ["*.png", "ow?.png"])] == ["owl.png"] * 2


def test_a_place_without_pictures_is_named(tmp_path):
    with pytest.raises(TrainingError, match="posters is neither a folder nor"):
        people_free(tmp_path, ["posters"])
    (tmp_path / "posters").mkdir()
    with pytest.raises(TrainingError, match="posters holds no picture"):
        people_free(tmp_path, ["posters"])


def test_a_picture_without_people_teaches_that_nobody_is_there_with_masks_too(
    grey_owl, teacher, tmp_path, capsys
):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    paths = [*people_free(grey_owl, ["owl.png"]), tmp_path / "broken.jpg"]
    cv2.imwrite(str(tmp_path / "depth.tiff"), np.ones((40, 40), np.float32))
    paths.append(tmp_path / "depth.tiff")
    plain, masked = background_lessons(paths, teacher, tmp_path / "made", seed=1)
    told = capsys.readouterr().out
    assert "broken.jpg" in told and "depth.tiff" in told
    assert not len(plain.rows) and not len(masked.rows)
    first, second = (cv2.imread(str(lesson.path)).astype(int) for lesson in (plain, masked))
    changed = (np.abs(first - second).max(axis=2) > 40).mean()
    assert 0.005 < changed < 0.6
    np.testing.assert_array_equal(read_people_free(paths[0]), read_people_free(paths[0]))


def test_a_statue_is_nobody_and_who_stands_beside_is_somebody(astronaut, teacher, tmp_path):
    pair = np.hstack([astronaut[:300, 60:400]] * 2)
    cv2.imwrite(str(tmp_path / "pair.png"), pair)
    (face,) = teacher.detect(astronaut[:300, 60:400])[:1]
    rows = np.zeros((2, COLUMNS), np.float32)
    rows[:, KIND], rows[:, KNOWN] = FACE, 1
    rows[:, BOX] = [*face[:2], *(face[:2] + face[2:4])]
    rows[:, POINTS] = face[4:14]
    rows[SECOND, 1:15:2] += 340
    lesson = Lesson(tmp_path / "pair.png", rows, np.ones(2, bool))
    for seed in range(6):
        (made,) = statue_lessons([lesson], tmp_path / str(seed), seed)
        image = cv2.imread(str(made.path))
        stone = [number for number in (FIRST, SECOND) if not (made.rows == rows[number]).all(axis=1).any()]
        assert len(stone) + len(made.rows) == 2 and stone
        for number in (FIRST, SECOND):
            left, top, right, bottom = rows[number, BOX].astype(int)
            part = (slice(top, bottom), slice(left, right))
            assert (np.abs(image[part].astype(int) - pair[part]).mean() > 15) == (number in stone)


def test_nobody_is_found_in_drawn_patterns_and_unworn_masks(grey_owl):
    data = dataclasses.replace(
        load_detector_config().data,
        root=str(grey_owl),
        test_backgrounds=["owl.png", "not_there"],
        test_clips=[],
    )
    sets = pictures_of_nobody(data, make_face_detector("yunet"))
    assert {name: len(pictures) for name, pictures in sets.items()} == {PATTERNS: 200, PICTURES: 1, MASKED: 1}
    for runtime in ("litert_int8", "litert"):
        faces = in_runtime(runtime)
        assert found_in([faces.detect(picture)[:, 14] for picture in sets[PATTERNS]], 0.6) <= 2
        detector = MaskDetector(faces, make_classifier(runtime=runtime))
        for pictures in sets.values():
            assert not any(detector.detect(picture) for picture in pictures)


@pytest.mark.parametrize("runtime", ["litert_int8", "litert", "opencv"])
def test_a_real_statue_that_wears_a_mask_is_nobody(shared_data, runtime):
    detector = MaskDetector(in_runtime(runtime), make_classifier(runtime=runtime))
    video = VideoDetector(detector, People(detector.class_ids))
    with open_source(str(shared_data / "clips" / "masked_statue_no_person.mp4")) as frames:
        seen = [video.see(frame.image, frame.time) for frame in frames]
    assert len(seen) == 283 and sum(len(one.boxes) > 0 for one in seen) > 100  # doubtful, but no person
    assert not any(one.people for one in seen)


def test_the_shipped_detector_finds_people_without_colours(shipped, astronaut):
    grey = cv2.cvtColor(cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    noise = np.random.default_rng(0).normal(0, 8, grey.shape[:2])[..., None]
    for picture in (grey, np.clip(0.4 * grey + noise, 0, 255).astype(np.uint8)):
        assert len(shipped.detect(picture)) == 1


def test_patterns_with_masks_differ_from_those_without():
    plain, masked = (pattern(np.random.default_rng(3), masks) for masks in (0, 2))
    assert plain.shape == masked.shape and (plain != masked).any()
