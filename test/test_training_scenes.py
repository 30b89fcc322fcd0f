"""The figures of the whole pipeline on scenes, on cases small enough to count by hand."""

import csv

import numpy as np
import pytest

pytest.importorskip("pycocotools", reason="the report needs pycocotools: pip install pycocotools")

from mask_detector.crops import crop_faces  # noqa: E402
from training.cropset import CropSet  # noqa: E402
from training.mistakes import save_mistakes  # noqa: E402
from training.scenes import boxed, compared, matched  # noqa: E402

CLASSES = ("one", "two")
FAR, SMALL = (300, 300, 50, 50), (10, 200, 20, 20)
LABELLED = boxed(
    [
        (0, (10, 10, 40, 40), 0, 1, True),
        (0, (100, 10, 40, 40), 1, 1, True),
        (1, (10, 10, 40, 40), 0, 1, True),
        (1, SMALL, 1, 1, True),
    ]
)
FOUND = boxed(
    [
        (0, (12, 10, 40, 40), 0, 0.9, True),  # right
        (0, (100, 10, 40, 40), 0, 0.8, True),  # the other class
        (0, FAR, 0, 0.7, True),  # nothing is labelled there
        (1, (10, 10, 40, 30), 0, 0.5, False),  # right, but unsure
        (1, SMALL, 1, 0.6, True),  # right, but small
    ]
)


def test_faces_found_are_matched_within_their_picture_and_once():
    assert matched(LABELLED, FOUND).tolist() == [0, 1, -1, 2, 3]
    twice = boxed([(0, (10, 10, 40, 40), 0, 1, True), (0, (14, 10, 40, 40), 0, 1, True)])
    assert matched(LABELLED, twice).tolist() == [0, -1]


def test_figures_of_scenes_counted_by_hand():
    groups = compared(LABELLED, FOUND, CLASSES)
    one, two = groups["all"]["classes"].values()
    assert (one["faces"], one["found"], one["told"], one["right"], one["told_unlabelled"]) == (2, 1, 3, 1, 1)
    assert (one["precision"], one["recall"]) == pytest.approx((1 / 3, 1 / 2))
    assert (two["faces"], two["found"], two["precision"], two["recall"]) == (2, 2, 1, 0.5)
    # by score: right, wrong, wrong, right: precision 1 up to half of the recall, then 2/4
    assert one["average_precision"] == pytest.approx((51 * 1 + 50 * 0.5) / 101)
    assert two["average_precision"] == pytest.approx(51 / 101)
    large = groups["short side from 32 px"]["classes"]["two"]
    assert (large["faces"], large["told"], large["precision"], large["recall"]) == (1, 0, None, 0)
    assert large["average_precision"] == 0


def test_scenes_without_faces_or_finds_have_figures_too():
    assert compared(LABELLED, boxed([]), CLASSES)["all"]["map50"] == 0
    nobody = compared(boxed([]), FOUND, CLASSES)["all"]["classes"]["one"]
    assert (nobody["precision"], nobody["recall"], nobody["average_precision"]) == (0, None, None)


def test_the_worst_mistakes_are_listed_and_drawn_first(tmp_path, astronaut):
    crops = crop_faces(astronaut, [(178, 63, 90, 113)] * 3, 64, 1.25)
    names = np.array(["right", "worse", "bad"])
    faces = CropSet(crops, np.array([0, 1, 1]), np.full(3, 90.0), np.array(["me"] * 3), names)
    scores = np.array([[0.9, 0.1], [0.99, 0.01], [0.6, 0.4]], np.float32)
    save_mistakes(tmp_path, "val", faces, scores, CLASSES)
    with (tmp_path / "mistakes_val.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["worse", "bad"]
    assert (tmp_path / "mistakes_val.png").stat().st_size > 1000
    save_mistakes(tmp_path, "val", faces.where(faces.labels == 0), scores[:1], CLASSES)
    assert not (tmp_path / "mistakes_val.png").exists()
