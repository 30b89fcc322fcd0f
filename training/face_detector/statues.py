"""Lessons with people turned to stone, who are nobody; the others in the picture are found as before."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.face_detector.drawn import landmarks_of
from training.face_detector.scenes import Lesson, read_scene
from training.face_detector.targets import BOX, IGNORED, KIND
from training.formats.base import save_picture
from training.masks import face_frame
from training.stone import SMALLEST, statue, stone_shape

Random = np.random.Generator
_TOUCHED = 0.15  # share of another face that may be stone before it is left alone


def statue_lessons(lessons: Sequence[Lesson], folder: Path, seed: int) -> list[Lesson]:
    """Return the lessons with large bare faces once more, in which half of those, or all, are statues."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, lesson in enumerate(tqdm(lessons, "statues", disable=None, leave=False)):
        random = np.random.default_rng([seed, number])
        sizes = (lesson.rows[:, 3:5] - lesson.rows[:, 1:3]).min(axis=1, initial=np.inf)
        able = np.flatnonzero(lesson.bare & (sizes >= SMALLEST))
        chosen = random.permutation(able)[: -(-len(able) // int(random.integers(1, 3)))]
        if len(chosen):
            made.append(_statues(lesson, chosen, folder / f"{number:05}.jpg", random))
    return made


def _statues(lesson: Lesson, chosen: NDArray, path: Path, random: Random) -> Lesson:
    """Turn the chosen faces to stone; they are no faces any more, and what they touch is left alone."""
    image = read_scene(lesson.path)
    stones = [stone_shape(image, box, random) for box in lesson.rows[chosen, BOX]]
    if not path.is_file():
        for number, share in zip(chosen, stones, strict=True):
            frame = face_frame(landmarks_of(lesson.rows[number]))
            image = statue(image, share, lesson.rows[number, BOX], frame, random)
        save_picture(path, image)
    rest = np.delete(lesson.rows, chosen, axis=0)
    touched = [_touched(row[BOX], np.maximum.reduce(stones)) for row in rest]
    rest[np.array(touched, bool), KIND] = IGNORED
    return Lesson(path, rest, np.zeros(len(rest), bool))


def _touched(box: NDArray, stone: NDArray[np.float32]) -> bool:
    left, top, right, bottom = np.maximum(box, 0).astype(int)
    part = stone[top : bottom + 1, left : right + 1]
    return bool(part.size) and float(part.mean()) > _TOUCHED
