"""Lessons that are drawn: masks on bare faces, and pictures without anybody; made once in the run folder."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mask_detector.crops import Image
from training.face_detector.scenes import Lesson, read_scene
from training.face_detector.targets import BOX, COLUMNS, POINTS
from training.formats.base import save_picture
from training.masks import WAYS, draw_mask, face_frame

Random = np.random.Generator
_SIDE = 480  # pixels of a drawn pattern


def drawn_lessons(lessons: Sequence[Lesson], folder: Path, scale: float, seed: int) -> list[Lesson]:
    """Return the lessons with bare faces once more, with masks on those; boxes grow by `scale`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [
        _masked(lesson, folder / f"{number:05}.jpg", scale, np.random.default_rng([seed, number]))
        for number, lesson in enumerate(tqdm(lessons, "masks are drawn", disable=None, leave=False))
        if lesson.bare.any()
    ]
    return [lesson for lesson in made if lesson]


def _masked(lesson: Lesson, path: Path, scale: float, random: Random) -> Lesson | None:
    frames = {number: face_frame(landmarks_of(lesson.rows[number])) for number in np.flatnonzero(lesson.bare)}
    frames = {number: frame for number, frame in frames.items() if frame}
    if not frames:
        return None
    if not path.is_file():
        image = read_scene(lesson.path)
        for frame in frames.values():
            image = draw_mask(image, frame, str(random.choice(list(WAYS))), random)
        save_picture(path, image)
    rows = lesson.rows.copy()
    for number in frames:
        middle = (rows[number, 1:3] + rows[number, 3:5]) / 2
        rows[number, BOX] = np.tile(middle, 2) + (rows[number, BOX] - np.tile(middle, 2)) * scale
    return Lesson(path, rows, np.zeros(len(rows), bool))


def landmarks_of(row: NDArray) -> NDArray[np.float32]:
    """Return a lesson's row as a detected face (15,) of which the landmarks alone are given."""
    face = np.zeros(15, np.float32)
    face[4:14] = row[POINTS]
    return face


def pattern_lessons(count: int, folder: Path, seed: int) -> list[Lesson]:
    """Return drawn pictures in which nobody is; every second one shows masks that nobody wears."""
    folder.mkdir(parents=True, exist_ok=True)
    lessons = []
    for number in range(count):
        path = folder / f"{number:05}.jpg"
        if not path.is_file():
            random = np.random.default_rng([seed, number])
            save_picture(path, pattern(random, masks=number % 2 * int(random.integers(1, 4))))
        lessons.append(Lesson(path, np.empty((0, COLUMNS), np.float32), np.empty(0, bool)))
    return lessons


def pattern(random: Random, masks: int = 0) -> Image:
    """Return a drawn picture (480, 480, 3) without anybody, with some unworn masks in it."""
    image = np.empty((_SIDE, _SIDE, 3), np.uint8)
    image[:] = random.integers(0, 256, 3)
    for _ in range(int(random.integers(1, 4))):
        image = _DRAWINGS[random.integers(len(_DRAWINGS))](image, random)
    for _ in range(masks):
        frame = face_frame(nobody(random, _SIDE, _SIDE))
        if frame:
            image = draw_mask(image, frame, str(random.choice(list(WAYS))), random)
    return image


def nobody(random: Random, width: int, height: int) -> NDArray[np.float32]:
    """Return a face (15,) with landmarks alone where no face is, in a picture of that size."""
    sides = np.array([width, height])
    scale, at = random.uniform(0.05, 0.25) * sides.min(), random.uniform(sides / 6, sides * 5 / 6)
    usual = np.array([[-0.5, 0], [0.5, 0], [0, 0.6], [-0.4, 1.1], [0.4, 1.1]]) * scale
    face = np.zeros(15, np.float32)
    face[4:14] = (usual + at + random.normal(0, 0.03 * scale, (5, 2))).ravel()
    return face


def _shapes(image: Image, random: Random) -> Image:
    """Discs, rings, boxes and lines: also two dots above a line, which is not yet a face."""
    for _ in range(int(random.integers(5, 40))):
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        first, second = (tuple(int(v) for v in random.integers(0, _SIDE, 2)) for _ in range(2))
        width = int(random.integers(1, 8)) if random.random() < 0.5 else -1
        kind = random.integers(3)
        if kind == 0:
            axes = tuple(int(value) for value in random.integers(4, 90, 2))
            cv2.ellipse(image, first, axes, random.uniform(0, 180), 0, 360, colour, width, cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(image, first, second, colour, width)
        else:
            cv2.line(image, first, second, colour, abs(width), cv2.LINE_AA)
    return image


def _stripes(image: Image, random: Random) -> Image:
    """Waves and checks of any direction and width."""
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(np.float32)
    turn, width = random.uniform(0, np.pi), random.uniform(4, 80)
    wave = np.sin((x * np.cos(turn) + y * np.sin(turn)) / width * np.pi)
    if random.random() < 0.5:
        wave *= np.sin((y * np.cos(turn) - x * np.sin(turn)) / width * np.pi)
    share = (wave > 0 if random.random() < 0.5 else wave / 2 + 0.5).astype(np.float32)[..., None]
    return (image * (1 - share) + random.integers(0, 256, 3) * share).astype(np.uint8)


def _clouds(image: Image, random: Random) -> Image:
    """Soft blobs in several sizes, as foliage, plaster and cloth have."""
    total = np.zeros((_SIDE, _SIDE, 3), np.float32)
    for cells in (4, 12, 40, 120):
        grain = random.normal(0, 60 * random.random(), (cells, cells, 3)).astype(np.float32)
        total += cv2.resize(grain, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    return np.clip(image + total, 0, 255).astype(np.uint8)


def _words(image: Image, random: Random) -> Image:
    for _ in range(int(random.integers(3, 15))):
        text = "".join(chr(code) for code in random.integers(33, 127, 8))
        at = tuple(int(value) for value in random.integers(-50, _SIDE, 2))
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        font, size = int(random.integers(0, 8)), random.uniform(0.5, 5)
        cv2.putText(image, text, at, font, size, colour, int(random.integers(1, 9)), cv2.LINE_AA)
    return image


_DRAWINGS: tuple[Callable[[Image, Random], Image], ...] = (_shapes, _stripes, _clouds, _words)
