"""Training pictures: parts of scenes, scaled so that faces of all sizes appear, and varied as cameras vary.

All chance comes from the generator given, so that a resumed run sees what it would have seen.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from training.face_detector.scenes import Lesson, Rows, read_scene
from training.face_detector.settings import DetectorConfig, Samples
from training.face_detector.targets import BOX, COLUMNS, FACE, IGNORED, KIND, POINTS
from training.face_detector.vary import vary

Random = np.random.Generator
Batch = tuple[NDArray[np.float32], NDArray[np.float32]]

MOST_FACES = 40
_MIRRORED = [1, 0, 2, 4, 3]  # landmarks of the mirrored face: right and left change places
_LEAST_SHOWN = 0.7  # of a sample's side that a picture's longer side fills, so that little stays empty
_LARGEST_SCALE = 3.0
_TURN = 7.0  # standard deviation in degrees
_SEEN, _HINTED = 0.45, 0.05  # share of a face within the picture from which it is learned, and ignored
_AHEAD = 6
_MOST_KEPT = 3 * 2**30  # bytes of pictures in memory, enough for the shipped detector's
_kept: dict[Path, Image] = {}


def batches(
    pools: Sequence[tuple[float, Sequence[Lesson]]], config: DetectorConfig, epoch: int
) -> Iterator[Batch]:
    """Yield an epoch's pictures (B, size, size, 3), BGR 0 to 255, and rows (B, MOST_FACES, COLUMNS).

    `pools` are kinds of lessons, each with how often it is drawn from.
    """
    steps = -(-config.train.epoch_size // config.train.batch_size)
    with ThreadPoolExecutor(2) as ahead:
        waiting = []
        for step in range(steps + _AHEAD):
            if step < steps:
                waiting.append(ahead.submit(_batch, pools, config, [config.seed, epoch, step]))
            if step >= _AHEAD and waiting:
                yield waiting.pop(0).result()


def _batch(pools: Sequence[tuple[float, Sequence[Lesson]]], config: DetectorConfig, seed: list[int]) -> Batch:
    random = np.random.default_rng(seed)
    images, rows = [], np.zeros((config.train.batch_size, MOST_FACES, COLUMNS), np.float32)
    for number in range(config.train.batch_size):
        image, faces = sample(pools, config.samples, random)
        images.append(image)
        rows[number, : len(faces)] = faces
    return np.stack(images).astype(np.float32), rows


def sample(
    pools: Sequence[tuple[float, Sequence[Lesson]]], config: Samples, random: Random
) -> tuple[Image, Rows]:
    """Return one training picture and its rows, MOST_FACES at most."""
    make = _mosaic if random.random() < config.mosaic else _part
    image, rows = make(pools, config, config.size, random)
    if len(rows) > MOST_FACES:
        return sample(pools, config, random)
    return vary(image, rows, config, random), rows


def _mosaic(pools: Sequence, config: Samples, size: int, random: Random) -> tuple[Image, Rows]:
    """Return four pictures in one."""
    half = size // 2
    parts = [_part(pools, config, half, random) for _ in range(4)]
    images = [image for image, _ in parts]
    rows = [
        _moved(part[1], at)
        for part, at in zip(parts, ((0, 0), (half, 0), (0, half), (half, half)), strict=True)
    ]
    return np.vstack([np.hstack(images[:2]), np.hstack(images[2:])]), np.concatenate(rows)


def _moved(rows: Rows, by: tuple[int, int]) -> Rows:
    rows[:, BOX] += np.tile(by, 2)
    rows[:, POINTS] += np.tile(by, 5)
    return rows


def _part(pools: Sequence, config: Samples, size: int, random: Random) -> tuple[Image, Rows]:
    """Return a part of a lesson's picture, most often one around a face of the size wanted."""
    shares = np.array([share for share, _ in pools])
    lessons = pools[random.choice(len(pools), p=shares / shares.sum())][1]
    lesson = lessons[random.integers(len(lessons))]
    image = _picture(lesson.path)
    matrix = _view(image, lesson.rows, config, size, random)
    return _warp(image, matrix, size, random), _seen(lesson.rows, matrix, size, config.smallest)


def _picture(path: Path) -> Image:
    """Return a lesson's picture, from memory as far as that goes: all are drawn equally often."""
    if path in _kept:
        return _kept[path]
    image = read_scene(path)
    if sum(picture.nbytes for picture in list(_kept.values())) + image.nbytes <= _MOST_KEPT:
        _kept[path] = image
    return image


def _view(image: Image, rows: Rows, config: Samples, size: int, random: Random) -> NDArray[np.float64]:
    """Return the matrix (2, 3) from the picture to a square view of it."""
    faces, half = rows[rows[:, KIND] == FACE], np.zeros(2)
    if len(faces) and random.random() >= config.anywhere:
        box = faces[random.integers(len(faces)), BOX]
        wanted = np.exp(random.uniform(*np.log(config.face))) * size / config.size
        half = (box[2:] - box[:2]) / 2
        centre, scale = box[:2] + half, wanted / max(2 * half.max(), 1)
    else:
        centre, scale = random.uniform(0, image.shape[1::-1]), np.exp(random.uniform(-1.2, 0.4))
    scale = float(np.clip(scale, _LEAST_SHOWN * size / max(image.shape), _LARGEST_SCALE))
    margin = np.minimum(scale * half, size / 2)  # so that the face is seen whole
    at = random.uniform(margin, size - margin)
    rest = scale * (np.array(image.shape[1::-1]) - centre)  # of the picture at the right and below
    at = np.clip(at, np.minimum(scale * centre, size - rest), np.maximum(scale * centre, size - rest))
    matrix = cv2.getRotationMatrix2D(tuple(map(float, centre)), random.normal(0, _TURN), scale)
    matrix[:, 2] += at - centre
    if random.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size - 1
    return matrix


def _warp(image: Image, matrix: NDArray, size: int, random: Random) -> Image:
    """Cut the view out; far smaller pictures are first shrunk by area, as the detector does it."""
    scale = float(np.hypot(*matrix[:, 0]))
    if scale < 0.8:
        width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
        back = np.array([image.shape[1] / width, image.shape[0] / height, 1])
        image, matrix = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), matrix * back
    fill = (0, 0, 0) if random.random() < 0.5 else tuple(int(value) for value in random.integers(0, 256, 3))
    return cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=fill)


def _seen(rows: Rows, matrix: NDArray, size: int, smallest: float) -> Rows:
    """Return the rows as the view shows them; faces cut off or too small are ignored."""
    rows = rows.copy()
    corners, whole = rows[:, BOX].reshape(-1, 2, 2), rows.copy()
    middles = corners.mean(axis=1) @ matrix[:, :2].T + matrix[:, 2]
    halves = (corners[:, 1] - corners[:, 0]) / 2
    halves = np.sqrt(halves**2 @ (matrix[:, :2] ** 2).T)  # of the turned ellipse in the box
    whole[:, BOX] = np.hstack([middles - halves, middles + halves])
    points = rows[:, POINTS].reshape(-1, 5, 2) @ matrix[:, :2].T + matrix[:, 2]
    whole[:, POINTS] = (points[:, _MIRRORED] if np.linalg.det(matrix[:, :2]) < 0 else points).reshape(-1, 10)
    cut = np.clip(whole[:, BOX], 0, size)
    share = (cut[:, 2:] - cut[:, :2]).prod(axis=1) / np.maximum((2 * halves).prod(axis=1), 1e-6)
    small = (2 * halves).max(axis=1, initial=0) < smallest
    whole[:, KIND] = np.where((share < _SEEN) | small, IGNORED, whole[:, KIND])
    whole[:, BOX] = cut
    return whole[share > _HINTED]
