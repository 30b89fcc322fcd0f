"""What is no face is learnt from crops where nobody is, and is never published as a person."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from mask_detector.background import are_people, class_scores, face_probabilities
from mask_detector.classifiers import make_classifier
from mask_detector.crops import crop_faces
from mask_detector.face_detectors import make_face_detector
from mask_detector.model_store import ClassifierInfo
from mask_detector.pipeline import MaskDetector
from training.background import background_crops, pattern, touching
from training.config import load_config
from training.cropset import BACKGROUND_NAME
from training.data import Face, Refused
from training.drawn import framed_faces
from training.errors import TrainingError
from training.face_detector.backgrounds import people_free
from training.lookalikes import SEARCH, lookalike_crops
from training.prepare import prepared
from training.rejection import LEAST, MOST, fit_background_threshold, rejection_figures
from training.statues import statue_crops

OUTPUTS = np.float32([[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]])


def info(threshold: float | None) -> ClassifierInfo:
    return ClassifierInfo("made up", 8, 1.0, {}, threshold)


@pytest.mark.parametrize(
    ("threshold", "expected"), [(None, [True, True]), (0.5, [True, False]), (0.05, [False, False])]
)
def test_a_find_is_a_face_below_the_threshold(threshold: float | None, expected: list[bool]):
    assert (face_probabilities(OUTPUTS, info(threshold)) > 0).tolist() == expected


def test_a_weak_find_needs_a_classifier_without_doubt():
    doubtful = np.repeat(OUTPUTS[:1], 3, axis=0)  # 0.9 of a face
    found, faces = np.float32([0.9, 0.7, 0.63]), face_probabilities(doubtful, info(0.5))
    assert are_people(found, faces, 0.6).tolist() == [True, True, False]
    assert are_people(found, faces, np.array([0.9, 0.6, 0.3])).tolist() == [False, True, True]
    assert are_people(found, face_probabilities(doubtful, info(None)), 0.6).all()
    assert are_people(np.zeros(2), face_probabilities(OUTPUTS, info(0.5)), 0.0).tolist() == [True, False]


def test_the_scores_of_the_classes_sum_to_one_without_the_background():
    np.testing.assert_allclose(class_scores(OUTPUTS, 3).sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(class_scores(OUTPUTS, 3)[0], np.float32([7, 1, 1]) / 9, rtol=1e-6)
    assert class_scores(OUTPUTS[:0], 3).shape == (0, 3)


def test_the_pipeline_leaves_out_what_is_no_face_and_says_which(astronaut: np.ndarray):
    detector = MaskDetector(make_face_detector("yunet"), make_classifier())
    faces = detector.find(astronaut)
    wall = np.concatenate([[400, 10, 60, 60], faces[0, 4:]])[None].astype(np.float32)
    found = np.concatenate([faces, wall])
    told, probabilities = detector.classify(astronaut, found)
    assert len(told) == 2 and probabilities[0] > 0.9 and probabilities[1] == 0
    people = detector.people(astronaut, found)
    assert len(people) == 1
    assert people[0].class_id == "no_mask"
    assert sum(people[0].scores.values()) == pytest.approx(1, abs=1e-5)


def test_drawn_patterns_are_no_people():
    classifier, random = make_classifier(), np.random.default_rng(7)
    size = classifier.info.input_size
    crops = np.stack([cv2.resize(pattern(random), (size, size)) for _ in range(40)])
    assert (face_probabilities(classifier.classify(crops), classifier.info) > 0).sum() <= 1


def test_boxes_touch_only_where_they_share_ground():
    boxes = np.float32([[0, 0, 10, 10], [20, 0, 10, 10], [4, 4, 2, 2]])
    assert touching(boxes, np.float32([[3, 3, 5, 5]])).tolist() == [True, False, True]
    assert not touching(boxes, np.empty((0, 4), np.float32)).any()


def test_background_is_cut_where_nobody_is(astronaut: np.ndarray, tmp_path):
    path = tmp_path / "astronaut.png"
    cv2.imwrite(str(path), astronaut)
    face = Face(path, (178.0, 63.0, 90.0, 113.0), 2, "here", "astronaut:1")
    crops = background_crops([face], 20, 3, 48, 1.0, seed=1)
    again = background_crops([face], 20, 3, 48, 1.0, seed=1)
    assert set(crops.labels) == {3}
    assert {"pattern", "part"} <= set(crops.sources)
    assert crops.crops.shape == (len(crops), 48, 48, 3)
    assert (crops.crops == again.crops).all()


def test_people_of_stone_are_background(astronaut: np.ndarray, tmp_path):
    path = tmp_path / "astronaut.png"
    cv2.imwrite(str(path), astronaut)
    far = Face(path, (178.0, 63.0, 30.0, 38.0), 2, "here", "astronaut:far")
    face = Face(path, (178.0, 63.0, 90.0, 113.0), 2, "here", "astronaut:1")
    framed = list(framed_faces([face, far], make_face_detector()))
    assert [face.name for face, _ in framed] == ["astronaut:1"]
    crops = statue_crops(framed, 4, 3, 96, 1.5, seed=1)
    again = statue_crops(framed, 4, 3, 96, 1.5, seed=1)
    assert len(crops) == 4 and set(crops.labels) == {3} and set(crops.sources) == {"stone"}
    assert all(name.startswith(BACKGROUND_NAME) for name in crops.names)
    assert (crops.crops == again.crops).all() and (crops.crops[0] != crops.crops[1]).any()
    (alive,) = crop_faces(astronaut, [face.box], 96, 1.5)
    middle = np.s_[30:60, 30:60]
    assert np.ptp(crops.crops[:, 30:45, 30:60], axis=-1).mean() < np.ptp(alive[middle], axis=-1).mean() / 2


def test_the_threshold_keeps_nearly_all_faces():
    random = np.random.default_rng(0)
    background = np.sort(random.uniform(0, 0.2, 1000))
    background[-3:] = 0.95
    outputs = np.column_stack([1 - background, background, background * 0, background])
    threshold = fit_background_threshold(outputs)
    assert (outputs[:, -1] >= threshold).mean() <= 0.003
    assert fit_background_threshold(outputs[:900]) == LEAST


def test_one_odd_face_does_not_switch_rejection_off():
    background = np.append(np.full(99, 0.05), 0.995)
    assert fit_background_threshold(np.column_stack([1 - background, background])) == LEAST
    assert fit_background_threshold(np.empty((0, 4))) == LEAST


def test_two_odd_faces_among_a_hundred_do_not_either():
    background = np.append(np.full(98, 0.05), [0.99, 0.995])
    assert fit_background_threshold(np.column_stack([1 - background, background])) == MOST


def test_the_report_counts_what_is_rejected():
    labels = np.array([0, 0, 2])
    faces = SimpleNamespace(crops=OUTPUTS[[0, 1, 0]], labels=labels, sides=np.full(3, 40.0))
    faces.where = lambda chosen: faces
    nobody = SimpleNamespace(crops=OUTPUTS[[1, 1, 0]], sources=np.array(["haar", "haar", "place"]))
    classifier = SimpleNamespace(classify=lambda outputs: outputs, info=info(0.5))
    told = rejection_figures(classifier, faces, nobody, ("mask", "improper_mask", "no_mask"))
    assert told["faces"]["mask"] == {"crops": 2, "rejected": 1}
    assert told["background"] == {"haar": {"crops": 2, "rejected": 2}, "place": {"crops": 1, "rejected": 0}}


def test_settings_may_stand_on_others(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "base: base.yaml\ncrops: {size: 96}\nsynthesis: {ways: {worn: null}}\n"
    )
    base = load_config()
    base.save(tmp_path / "base.yaml")
    ways = {way: name for way, name in base.synthesis.ways.items() if way != "worn"}
    expected = replace(base, crops=replace(base.crops, size=96), synthesis=replace(base.synthesis, ways=ways))
    assert load_config(tmp_path / "mine.yaml") == expected


def test_what_looks_like_a_face_in_pictures_without_people_is_background(astronaut: np.ndarray, tmp_path):
    cv2.imwrite(str(tmp_path / "poster.png"), astronaut)  # as if it hung on a wall
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((90, 120, 3), 140, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    refused = Refused()
    pictures = people_free(tmp_path, ["."])
    finder = make_face_detector(search=SEARCH)
    crops = lookalike_crops(pictures, finder, 50, 3, 96, 1.5, 1, refused)
    assert "refused 1: picture cannot be read (such as broken.png)" in refused.report()
    assert set(crops.labels) == {3} and set(crops.sources) == {"lookalike"}
    assert all(
        name.startswith(f"{BACKGROUND_NAME}lookalike:{tmp_path / 'poster.png'}:") for name in crops.names
    )
    (face,) = make_face_detector().detect(astronaut)
    assert (crops.crops == crop_faces(astronaut, face[None, :4], 96, 1.5)).all(axis=(1, 2, 3)).any()
    assert len(lookalike_crops(pictures, finder, 1, 3, 96, 1.5, 1, Refused())) == 1
    assert len(lookalike_crops([], finder, 50, 3, 96, 1.5, 1, Refused())) == 0


def test_a_place_without_pictures_stops_before_anything_is_cut(tmp_path):
    config = load_config(data__root=str(tmp_path))
    config = replace(config, background=replace(config.background, pictures=["no_people"]))
    with pytest.raises(TrainingError, match="no_people is neither a folder nor names pictures"):
        prepared(config, tmp_path / "run", "train")
    with pytest.raises(TrainingError, match="'background.count' is 0: .* background.pictures"):
        replace(config.background, count=0)
