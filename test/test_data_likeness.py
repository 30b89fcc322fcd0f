"""Near-duplicates are found, and no part of a split shares one with another."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
from labelled_sets import IMPROPER, MASK, NO_MASK, a_set, blots, fail, run, save, stored

from mask_detector.face_detectors import make_face_detector
from mask_detector.mask_drawing import PROPER, draw_mask
from training.errors import TrainingError
from training.formats.base import LabelledFace, Picture
from training.likeness import COPY, NEAR, all_signs, grouped, near_pairs, signs
from training.split import parse_parts, split


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
    assert "1 were labelled otherwise" in capsys.readouterr().out
    assert copy.is_file()
    assert "exists" in fail(capsys, "deduplicate", mine, "--out", tmp_path / "clean")


def test_somebody_before_and_after_putting_on_a_mask_is_no_copy(tmp_path, astronaut):
    mine, yours = a_set(tmp_path, NO_MASK), a_set(tmp_path, MASK, source="yours", start=70)
    bare, masked = ([one.path for one in stored(path)] for path in (mine, yours))
    (face,) = make_face_detector("yunet").detect(astronaut)
    save(bare[0], astronaut)
    save(masked[0], draw_mask(astronaut, face[4:14], PROPER))
    assert [pair[:2] for pair in near_pairs(all_signs([bare[0], masked[0]]), COPY)] == [(0, 1)]
    run("deduplicate", mine, yours, "--out", tmp_path / "clean")
    assert len(stored(tmp_path / "clean" / "yours.json")) == len(masked)


def test_groups_chain(tmp_path):
    numbers = grouped([["a"], ["a", "b"], ["b"], ["c"], ["d"]], [(3, 4)])
    assert len(set(numbers[:3])) == 1 and numbers[3] == numbers[4] != numbers[0]


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
    assert "4 pictures (1 without a face), 3 faces\n" in told
    assert "share 2 near-duplicate pictures" in told
    assert "32 to 63 px" in told
    assert "sources" not in told.partition("share")[2]
