"""The labelling loop: from an unsure face on the camera to a folder that training reads."""

import asyncio

import cv2
import numpy as np
import pytest
from browser import Page, chromium
from media import full_disk
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from viewing import looking_at, viewing

from mask_detector.classifiers import make_classifier
from mask_detector.demo_clip import LANDMARKS, portrait
from mask_detector.detection import Detection
from mask_detector.errors import MaskDetectorError
from mask_detector.face_detectors import make_face_detector
from mask_detector.model_store import load_manifest
from mask_detector.pipeline import MaskDetector
from mask_detector.viewer.examiner import Examiner
from mask_detector.viewer.labelling import Labelling
from mask_detector.viewer.review import Review
from training import data, dataset

CLASSES = load_manifest().class_ids
FACE = (178.0, 63.0, 90.0, 113.0)


def glance(score: float, class_id: str = CLASSES[0], box: tuple = FACE, number: str = "1") -> Detection:
    rest = (1 - score) / 2
    scores = {class_id: score} | {name: rest for name in CLASSES if name != class_id}
    return Detection(box, scores, number)


def keep(labelling: Labelling, *glances: Detection) -> None:
    labelling.keep("/front", portrait(), glances, glances)


def test_the_least_sure_are_kept_and_make_room_for_less_sure_ones(tmp_path):
    labelling = Labelling(tmp_path, most=3)
    keep(labelling, *(glance(score, number=str(score)) for score in (0.95, 0.7, 0.5, 0.8)))
    assert [one.score for one in labelling.waiting()] == [0.5, 0.7, 0.8]
    keep(labelling, glance(0.6, number="new"), glance(0.85, number="surer"))
    assert [one.score for one in labelling.waiting()] == [0.5, 0.6, 0.7]


def test_the_same_person_and_small_faces_are_not_kept_again_and_again(tmp_path):
    labelling = Labelling(tmp_path, most=10)
    for _ in range(5):
        keep(labelling, glance(0.5), glance(0.5, number="2", box=(10, 10, 20, 20)))
    assert len(labelling.waiting()) == 1


def test_a_decision_moves_the_picture_and_can_be_undone(tmp_path):
    labelling = Labelling(tmp_path, most=10)
    keep(labelling, glance(0.5), glance(0.6, number="2"))
    first, second = (one.name for one in labelling.waiting())
    content = labelling.read(first)
    labelling.decide(first, CLASSES[1])
    labelling.decide(second, None)
    assert labelling.waiting() == [] and labelling.labelled()[CLASSES[1]] == 1
    assert (tmp_path / "labelled" / CLASSES[1] / first).read_bytes() == content
    labelling.undo(first, CLASSES[1])
    assert [one.name for one in labelling.waiting()] == [first]


def test_on_a_full_disk_nothing_is_lost_and_no_part_is_left(tmp_path):
    labelling = Labelling(tmp_path, most=1)
    before = tmp_path / "waiting" / "0.700_mask_20260101-000000_00000000.jpg"
    before.touch()
    with full_disk(1000), pytest.raises(OSError, match="File too large"):
        keep(labelling, glance(0.5))
    assert list((tmp_path / "waiting").iterdir()) == [before]


def test_why_no_face_is_kept_is_told_once_until_it_is_over(tmp_path, capsys):
    labelling = Labelling(tmp_path / "faces", most=10)
    review = Review(labelling, Examiner())
    image, away = half_masked(), tmp_path / "away"

    def collect(person: str) -> str:
        asyncio.run(review.collect("/front", image, [glance(0.5, number=person)]))
        return capsys.readouterr().err

    labelling.folder.rename(away)
    assert "faces not collected, trying on:" in collect("1") and collect("2") == ""
    away.rename(labelling.folder)
    assert collect("3") == "" and len(labelling.waiting()) == 1
    labelling.folder.rename(away)
    assert "No such file or directory" in collect("4")


@pytest.mark.parametrize(
    "name", ["../../secret.jpg", "0.500_mask_20260101-000000_00000000.jpg", "/etc/passwd", ""]
)
def test_no_other_file_is_touched(tmp_path, name):
    (tmp_path.parent / "secret.jpg").write_bytes(b"secret")
    labelling = Labelling(tmp_path / "faces", most=10)
    for attempt in (
        lambda: labelling.read(name),
        lambda: labelling.decide(name, CLASSES[0]),
        lambda: labelling.decide(name, None),
        lambda: labelling.undo(name, CLASSES[0]),
        lambda: labelling.decide(name, "../waiting"),
    ):
        with pytest.raises(MaskDetectorError):
            attempt()
    assert (tmp_path.parent / "secret.jpg").read_bytes() == b"secret"


def test_training_takes_the_folder_as_it_is(tmp_path):
    labelling = Labelling(tmp_path, most=10)
    keep(labelling, *(glance(0.5, number=class_id) for class_id in CLASSES))
    for face, class_id in zip(labelling.waiting(), CLASSES, strict=True):
        labelling.decide(face.name, class_id)
    refused = data.Refused()
    faces = data.read_folders(tmp_path / "labelled", CLASSES, refused)
    assert sorted(face.label for face in faces) == [0, 1, 2] and refused.report() == "refused 0"
    out = tmp_path / "set.json"
    dataset.main(["import", "folders", str(tmp_path / "labelled"), "--out", str(out)])
    scenes = data.read_scenes(out, CLASSES, refused)
    assert sorted(face.label for face in scenes) == [0, 1, 2] and refused.report() == "refused 0"


def half_masked() -> np.ndarray:
    """Return a BGR picture of a face, veiled about the mouth as far as makes the model the least sure."""
    detector = MaskDetector(make_face_detector(), make_classifier())
    pictures = [veiled(share) for share in np.linspace(0.4, 0.7, 31)]
    scores = [max((one.score for one in detector.detect(picture)), default=1.0) for picture in pictures]
    return pictures[int(np.argmin(scores))]


def veiled(share: float) -> np.ndarray:
    picture = portrait()
    left, right = LANDMARKS[3], LANDMARKS[4]
    patch, middle = picture.copy(), ((left[0] + right[0]) // 2, left[1] + 6)
    cv2.ellipse(patch, middle, (42, 30), 0, 0, 360, (200, 190, 180), -1)
    return cv2.GaussianBlur(cv2.addWeighted(patch, share, picture, 1 - share, 0), (5, 5), 0)


def test_an_unsure_face_is_reviewed_with_one_key(tmp_path):
    folder = tmp_path / "faces"
    with chromium() as driver, looking_at(half_masked(), tmp_path, "--collect", str(folder)) as viewer:
        waiting = folder / "waiting"
        page = Page(driver, viewer.address + "review")
        page.until(lambda: list(waiting.glob("*.jpg")), "a face to be kept")
        driver.refresh()
        page.until(lambda: page.run("return document.getElementById('face').naturalWidth") > 100, "the face")
        keys = driver.find_element(By.TAG_NAME, "body")
        keys.send_keys("2")
        chosen = folder / "labelled" / CLASSES[1]
        page.until(lambda: list(chosen.glob("*.jpg")), "the face to be named")
        keys.send_keys("u")
        page.until(lambda: not list(chosen.glob("*.jpg")), "the decision to be undone")
        page.until(lambda: page.text("#guess").startswith("The model says"), "the face again")
        guess = page.run("return document.querySelector('.guess').textContent")
        keys.send_keys(Keys.ENTER)
        page.until(lambda: len(list((folder / "labelled").glob("*/*.jpg"))) == 1, "the guess to be confirmed")
        (kept,) = (folder / "labelled").glob("*/*.jpg")
        titles = {info.id: info.title for info in load_manifest().classes}
        assert titles[kept.parent.name] in guess
        assert page.complaints() == []


def test_a_key_counts_for_the_face_on_the_screen_alone(tmp_path):
    labelling = Labelling(tmp_path / "faces", most=10)
    keep(labelling, *(glance(score, number=str(score)) for score in (0.5, 0.6, 0.7)))
    first, second, third = (one.name for one in labelling.waiting())
    options = ("--collect", str(labelling.folder))
    with chromium() as driver, viewing(tmp_path / "viewer.log", *options) as viewer:
        page = Page(driver, viewer.address + "review")
        ready = "return document.getElementById('face').naturalWidth > 100"
        page.until(lambda: page.run(ready), "the face")
        page.run("for (const key of '2x') dispatchEvent(new KeyboardEvent('keydown', { key }))")
        page.until(lambda: labelling.labelled()[CLASSES[1]], "the face to be named")
        on_screen = "const face = document.getElementById('face'); return face.complete && face.src"
        page.until(lambda: (page.run(on_screen) or "").endswith(second), "the next face")
        assert [one.name for one in labelling.waiting()] == [second, third]
        driver.find_element(By.TAG_NAME, "body").send_keys("x")
        page.until(lambda: (page.run(on_screen) or "").endswith(third), "the last face")
        page.until(lambda: page.run("return document.getElementById('undo').disabled"), "nothing to undo")
        driver.find_element(By.TAG_NAME, "body").send_keys("u3")
        page.until(lambda: not labelling.waiting(), "the last face to be named")
        assert [labelling.labelled()[name] for name in CLASSES] == [0, 1, 1]
        assert page.complaints() == []
