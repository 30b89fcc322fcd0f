"""Face detectors side by side on the same pictures: what each finds, also where nobody is, and how fast."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mask_detector.crops import Image
from mask_detector.face_detectors import FaceDetector, Faces, FaceSearch, make_face_detector
from mask_detector.face_detectors.haar import Haar
from mask_detector.face_detectors.litert import LiteRTFaces
from mask_detector.face_detectors.yunet import YuNet
from mask_detector.model_store import load_manifest, verified
from training.errors import TrainingError
from training.face_detector.average_precision import average_precisions
from training.face_detector.matching import SMALLEST_JUDGED, Matches, match
from training.face_detector.peers import Aizoo
from training.face_detector.scenes import Scene, read_scene

OURS, REFERENCE = "masked_yunet", "yunet"
SIZES = (SMALLEST_JUDGED, 32, 64, 128, 100_000)
THREADS = 2
LOWEST = FaceSearch(score_threshold=0.05)
_ROUNDS, _WARM = 60, 5
_FRAME = (640, 480)


@dataclass(frozen=True)
class Result:
    """What one detector found: matches with labels, scores where nobody is, AP, seconds for each frame.

    `nobody` has, by set of pictures without people, the scores of the finds in each picture.
    """

    name: str
    matches: Matches
    nobody: dict[str, list[NDArray[np.float32]]]
    precisions: list[float]
    seconds: NDArray[np.float64]


@dataclass(frozen=True)
class Labelled:
    """The labelled faces of all pictures in a row."""

    labels: NDArray[np.str_]
    sides: NDArray[np.float32]
    sources: NDArray[np.str_]

    @property
    def judged(self) -> NDArray[np.bool_]:
        return self.sides >= SMALLEST_JUDGED


def labelled(scenes: Sequence[Scene]) -> Labelled:
    faces = [
        (label, min(box[2:]), scene.source)
        for scene in scenes
        for box, label in zip(scene.boxes, scene.labels, strict=True)
    ]
    labels, sides, sources = (np.array(column) for column in zip(*faces, strict=True))
    return Labelled(labels, sides.astype(np.float32), sources)


def detectors(peer: Path | None, name: str = OURS, models: Path | None = None) -> dict[str, FaceDetector]:
    """Return the detectors by name, at a low score threshold: first `name` in int8 and in float32.

    It lies in the folder `models`, by default the project's own. Another than the shipped one is
    compared with that too.
    """
    files = load_manifest(models).face_detector_files(name)
    if missing := {"litert_int8", "litert", "opencv"} - files.keys():
        raise TrainingError(f"{name} has no file for {min(missing)}: name one that the export made")
    made: dict[str, FaceDetector] = {
        f"{name} int8": LiteRTFaces(verified(files["litert_int8"]), LOWEST, THREADS),
        f"{name} float32": LiteRTFaces(verified(files["litert"]), LOWEST, THREADS),
        f"{name} in OpenCV": YuNet(verified(files["opencv"]), LOWEST),
        REFERENCE: make_face_detector(REFERENCE, search=LOWEST),
        "haar": Haar(replace(LOWEST, score_threshold=0.0)),
    }
    if models or name != OURS:
        made[f"{OURS} as shipped"] = make_face_detector(OURS, search=LOWEST, threads=THREADS)
    return made | ({"aizoo": Aizoo(peer, LOWEST, THREADS)} if peer else {})


def compare(
    made: dict[str, FaceDetector], scenes: Sequence[Scene], nobody: dict[str, list[Image]]
) -> list[Result]:
    """Run every detector over the scenes and over pictures of nobody, by set, and time them in turns."""
    boxes = [scene.boxes for scene in scenes]
    found: dict[str, list[Faces]] = {name: [] for name in made}
    for scene in tqdm(scenes, "scenes", unit="picture", disable=None, leave=False):
        image = read_scene(scene.path)
        for name, detector in made.items():
            found[name].append(detector.detect(image))
    frames = [cv2.resize(read_scene(scene.path), _FRAME) for scene in scenes[:: max(1, len(scenes) // 20)]]
    seconds = timed({name: detector.detect for name, detector in made.items()}, frames)
    return [
        Result(
            name,
            match(found[name], boxes),
            {kind: [detector.detect(each)[:, 14] for each in pictures] for kind, pictures in nobody.items()},
            average_precisions(found[name], boxes),
            seconds[name],
        )
        for name, detector in made.items()
    ]


def timed(work: dict[str, Callable[[Image], object]], frames: Sequence[Image]) -> dict[str, NDArray]:
    """Return the seconds that each takes for a frame, all in turns, so that a busy machine is fair to all."""
    seconds = {name: [] for name in work}
    for number in range(_ROUNDS + _WARM):
        for name, run in work.items():
            began = time.perf_counter()
            run(frames[number % len(frames)])
            if number >= _WARM:
                seconds[name].append(time.perf_counter() - began)
    return {name: np.array(values) for name, values in seconds.items()}
