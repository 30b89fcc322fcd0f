"""Made-up input without end: a conversion refuses with a reason or gives a picture, and answers are sound."""

import array
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mask_detector.boxes import clip_boxes, squares_around
from mask_detector.classifiers import make_classifier
from mask_detector.crops import crop_faces
from mask_detector.demo_clip import portrait
from mask_detector.detection import Detection
from mask_detector.drawing import draw_detections
from mask_detector.errors import ImageError
from mask_detector.face_detectors import FaceSearch, make_face_detector
from mask_detector.follow import People, VideoDetector
from mask_detector.image_conversion import ENCODINGS, compressed_to_bgr, to_bgr, to_jpeg
from mask_detector.pipeline import MaskDetector

# The same examples in every run: a test that fails today has to fail tomorrow.
FEW = settings(max_examples=30, deadline=None, derandomize=True, database=None)
MANY = settings(FEW, max_examples=400)

SIDES = st.one_of(st.integers(0, 40), st.sampled_from([2**16, 2**31, 2**32 - 1]))
COORDINATES = st.floats(-1e6, 1e6, width=32)


@st.composite
def messages(draw: st.DrawFn) -> SimpleNamespace:
    """Fields of an Image message, most of which nearly fit together."""
    encoding = draw(st.one_of(st.sampled_from(ENCODINGS), st.text(max_size=8)))
    width, height = draw(SIDES), draw(SIDES)
    row = draw(st.one_of(st.just(width * 8 % 2**32), st.sampled_from([width, 2 * width, 3 * width]), SIDES))
    size = draw(st.one_of(st.just(min(row * height, 20_000)), st.integers(0, 20_000)))
    data = array.array("B", bytes([draw(st.integers(0, 255))]) * size)
    return SimpleNamespace(
        width=width, height=height, encoding=encoding, step=row, is_bigendian=draw(st.booleans()), data=data
    )


@given(messages())
@MANY
def test_a_message_becomes_a_picture_or_is_refused(message):
    try:
        image = to_bgr(message)
    except ImageError as error:
        assert str(error) and "\n" not in str(error)
        return
    assert image.shape == (message.height, message.width, 3) and image.dtype == np.uint8


@given(st.binary(max_size=300), st.sampled_from([".jpg", ".png"]), st.data())
@MANY
def test_compressed_data_becomes_a_picture_or_is_refused(noise, kind, data):
    content = bytearray(cv2.imencode(kind, portrait()[60:100, 180:240])[1].tobytes())
    place = data.draw(st.integers(0, len(content)))
    content[place : place + data.draw(st.integers(0, 40))] = noise
    try:
        image = compressed_to_bgr(array.array("B", content))
    except ImageError as error:
        assert str(error)
        return
    assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(0, 5), st.just(4)), elements=COORDINATES),
    st.integers(1, 5000),
    st.integers(1, 5000),
)
@MANY
def test_clipped_boxes_lie_in_the_image(boxes, width, height):
    boxes[:, 2:] = np.abs(boxes[:, 2:])
    clipped = clip_boxes(boxes, width, height)
    assert np.isfinite(clipped).all() and (clipped >= 0).all()
    assert (clipped[:, 0] + clipped[:, 2] <= width + 1e-3).all()
    assert (clipped[:, 1] + clipped[:, 3] <= height + 1e-3).all()
    assert squares_around(boxes, 1.25).shape == boxes.shape


@given(
    st.lists(
        st.tuples(*[st.floats(-300, 300, width=32)] * 2, *[st.floats(0, 500, width=32)] * 2), max_size=4
    ),
    st.integers(1, 64),
    st.integers(1, 64),
)
@FEW
def test_any_box_can_be_cut_out(boxes, width, height):
    crops = crop_faces(np.full((height, width, 3), 9, np.uint8), boxes, 32, 1.25)
    assert crops.shape == (len(boxes), 32, 32, 3) and (crops == 9).all()


@pytest.fixture(scope="module")
def detector() -> MaskDetector:
    return MaskDetector(make_face_detector(search=FaceSearch(score_threshold=0.3)), make_classifier())


def sound(detections: list[Detection], width: int, height: int) -> None:
    for one in detections:
        x, y, box_width, box_height = one.box
        assert np.isfinite(one.box).all()
        assert x >= 0 and y >= 0 and box_width > 0 and box_height > 0
        assert x + box_width <= width + 1e-3 and y + box_height <= height + 1e-3
        scores = list(one.scores.values())
        assert all(0 <= score <= 1 for score in scores) and sum(scores) == pytest.approx(1, abs=1e-3)
        assert scores == sorted(scores, reverse=True)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32 - 1), st.sampled_from(range(4)))
@FEW
def test_whatever_the_picture_the_answer_is_sound(detector, width, height, seed, kind):
    rng = np.random.default_rng(seed)
    picture = (
        rng.integers(0, 256, (height, width, 3), np.uint8),
        np.full((height, width, 3), rng.integers(256), np.uint8),
        cv2.resize(portrait(), (width, height)),
        np.roll(cv2.resize(portrait(), (width, height)), rng.integers(width), axis=1),  # over the edge
    )[kind]
    detections = detector.detect(picture)
    sound(detections, width, height)
    assert draw_detections(picture, detections).shape == picture.shape


@given(
    st.lists(st.tuples(st.floats(-1e9, 4e9), st.integers(-200, 200), st.booleans()), min_size=2, max_size=6)
)
@FEW
def test_whatever_the_time_and_the_motion_the_answer_is_sound(detector, moments):
    video = VideoDetector(detector, People(detector.class_ids))
    for time, shift, empty in moments:
        picture = (
            np.zeros((160, 160, 3), np.uint8) if empty else np.roll(portrait()[20:180, 140:300], shift, 1)
        )
        seen = video.see(picture, time)
        changes = video.people.learn(seen.people, time)
        sound(seen.people, 160, 160)
        sound(seen.raw, 160, 160)
        assert len({one.id for one in seen.people}) == len(seen.people)
        assert all(np.isfinite(one.box).all() for one in changes)


@given(st.integers(1, 100))
@FEW
def test_every_quality_makes_a_jpeg(quality):
    assert compressed_to_bgr(to_jpeg(portrait()[:32, :32], quality)).shape == (32, 32, 3)
