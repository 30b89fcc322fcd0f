"""Who is somebody to face detector and classifier together: people, also in the dark, and pictures of nobody.

Both networks run in float32, and both in int8, as the node chooses by the processor.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

import numpy as np

from mask_detector.boxes import Boxes, as_boxes, iou_matrix
from mask_detector.classifiers import make_classifier
from mask_detector.crops import Image
from mask_detector.face_detectors import make_face_detector
from mask_detector.face_detectors.litert import LiteRTFaces
from mask_detector.follow import People, VideoDetector
from mask_detector.model_store import ClassifierInfo, load_manifest, verified
from mask_detector.pipeline import MaskDetector
from training.clips import RATE, as_clip
from training.conditions import DARK, dark
from training.data import Face
from training.face_detector.compare import LOWEST, OURS, REFERENCE
from training.face_detector.matching import LEAST_OVERLAP
from training.face_detector.nobody import MASKED, PATTERNS, PICTURES, pictures_of_nobody
from training.face_detector.settings import load_detector_config
from training.figures import Figures
from training.pictures import picture_or_none
from training.progress import shown

_RUNTIMES = ("litert", "litert_int8")
_CLIPS = ((640, 480), (320, 240))


def pipelines(info: ClassifierInfo) -> dict[str, MaskDetector]:
    """Return the shipped face detector with a classifier, by the runtime of both."""
    faces = load_manifest().face_detector_files(OURS)
    return {
        runtime: MaskDetector(
            LiteRTFaces(verified(faces[runtime])),
            make_classifier(str(info.files[runtime].path.parent / info.name), runtime),
        )
        for runtime in _RUNTIMES
        if runtime in info.files
    }


def published_figures(
    made: dict[str, MaskDetector], sets: dict[str, list[Face]], root: str
) -> dict[str, Figures]:
    """Return how many faces of each set, as they are and in the dark, and of pictures of nobody are somebody.

    By set: how many `there` are, and by runtime how many are `found` by the face detector alone, and how many
    `published`. Of pictures of nobody each counts once; those below `root` that are not there are told. They
    are shown in clips too, where people are followed.
    """
    told = {}
    for title, faces in sets.items():
        if faces:
            told[title] = _told(made, _labelled(faces))
            told[f"{title}, {DARK}"] = _told(made, _in_the_dark(_labelled(faces)))
    settings = replace(load_detector_config().data, root=root)
    nobody = pictures_of_nobody(settings, make_face_detector(REFERENCE, search=LOWEST))
    told |= {title: _told(made, ((one, None) for one in each)) for title, each in nobody.items()}
    stills = {title: each for title, each in nobody.items() if title in (PATTERNS, PICTURES, MASKED)}
    for width, height in _CLIPS:
        for title, each in stills.items():
            told[f"{title}, in a clip of {width}x{height}"] = _told_in_clip(made, each, (width, height))
    return told


def published_table(sets: dict[str, Figures]) -> list[str]:
    """Return the figures as lines of Markdown."""
    runtimes = [name for name in next(iter(sets.values())) if name != "there"]
    head = [f"{name}: {what}" for name in runtimes for what in ("found", "published")]
    lines = [f"| | there | {' | '.join(head)} |", "| --- | --- |" + " --- |" * len(head)]
    for title, row in sets.items():
        counts = [row["there"], *(count for name in runtimes for count in row[name].values())]
        lines.append(f"| {title} | {' | '.join(map(str, counts))} |")
    return lines


def _labelled(faces: list[Face]) -> Iterator[tuple[Image, Boxes]]:
    for path, group in groupby(shown(faces, "faces as published"), key=lambda face: face.picture):
        boxes = as_boxes([face.box for face in group])
        if (picture := picture_or_none(path)) is not None:
            yield picture, boxes


def _in_the_dark(pictures: Iterable[tuple[Image, Boxes]]) -> Iterator[tuple[Image, Boxes]]:
    random = np.random.default_rng(0)
    for picture, boxes in pictures:
        yield dark(picture, random), boxes


def _told(made: dict[str, MaskDetector], pictures: Iterable[tuple[Image, Boxes | None]]) -> Figures:
    counts, there = {name: np.zeros(2, int) for name in made}, 0
    for picture, boxes in pictures:
        there += 1 if boxes is None else len(boxes)
        for name, detector in made.items():
            counts[name] += _somebody(detector, picture, boxes)
    return {"there": there} | {name: _named(two) for name, two in counts.items()}


def _told_in_clip(made: dict[str, MaskDetector], pictures: list[Image], size: tuple[int, int]) -> Figures:
    """Return in how many of the pictures somebody is, in one of its frames or more."""
    watching = {name: VideoDetector(detector, People(detector.class_ids)) for name, detector in made.items()}
    counts, frames = {name: np.zeros(2, int) for name in made}, 0
    for shown_frames in as_clip(pictures, size):
        anybody = {name: np.zeros(2, bool) for name in made}
        for frame in shown_frames:
            frames += 1
            for name, video in watching.items():
                anybody[name] |= _anybody(made[name], video, frame, frames / RATE)
        counts = {name: counts[name] + anybody[name] for name in made}
    return {"there": len(pictures)} | {name: _named(two) for name, two in counts.items()}


def _anybody(detector: MaskDetector, video: VideoDetector, frame: Image, time: float) -> tuple[bool, bool]:
    """Return whether anybody is found, and published, in the next frame of a video."""
    seen = video.see(frame, time)
    video.people.learn(seen.people, time)
    found = detector.counting(detector.find(frame), detector.face_detector.search.score_threshold)
    return bool(len(found)), bool(seen.people)


def _named(counts: np.ndarray) -> Figures:
    return dict(zip(("found", "published"), counts.tolist(), strict=True))


def _somebody(detector: MaskDetector, picture: Image, boxes: Boxes | None) -> tuple[int, int]:
    """Return how many of the faces are found and published; without boxes whether anybody is."""
    finds = detector.counting(detector.find(picture), detector.face_detector.search.score_threshold)
    people = as_boxes([one.box for one in detector.people(picture, finds)])
    if boxes is None:
        return bool(len(finds)), bool(len(people))
    return _covered(boxes, finds[:, :4]), _covered(boxes, people)


def _covered(boxes: Boxes, others: Boxes) -> int:
    return int((iou_matrix(boxes, others).max(axis=1, initial=0) >= LEAST_OVERLAP).sum())
