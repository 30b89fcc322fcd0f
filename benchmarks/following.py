"""What following costs and brings: `python benchmarks/following.py [CLIP…]`.

Without clips: the time for a made-up crowd, and how many ids it switches. With clips: how often the
labels of a person change, raw and settled, and when changes were told.
"""

import itertools
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test"))
from crowd import as_detection, crowd  # noqa: E402

from mask_detector.boxes import Boxes  # noqa: E402
from mask_detector.classifiers import make_classifier  # noqa: E402
from mask_detector.detection import Detection  # noqa: E402
from mask_detector.face_detectors import make_face_detector  # noqa: E402
from mask_detector.follow import People, VideoDetector  # noqa: E402
from mask_detector.frame_sources import open_source  # noqa: E402
from mask_detector.model_store import load_manifest  # noqa: E402
from mask_detector.pipeline import MaskDetector  # noqa: E402

_SEEDS = range(5)
_SECONDS = 60.0


def measure_crowd(people: int, rate: float) -> None:
    """Print the time of a frame with so many people, and the ids that were switched in a minute."""
    costs, switches = [], []
    for seed in _SEEDS:
        follower, ids = People(load_manifest().class_ids), {}
        switches.append(0)
        for stamp, found in crowd(seed, _SECONDS, rate):
            found = {person: find for person, find in found.items() if person < people}
            boxes = np.array([box for box, _ in found.values()]).reshape(-1, 4)
            certain = np.array([score >= 0.6 for _, score in found.values()], bool)
            faces = [as_detection(box) for box in boxes]
            began = time.perf_counter()
            names = _follow(follower, boxes, certain, faces, stamp)
            costs.append(1000 * (time.perf_counter() - began))
            switches[-1] += sum(
                ids.setdefault(person, name) != name
                for person, name in zip(found, names, strict=True)
                if name
            )
            ids.update({person: name for person, name in zip(found, names, strict=True) if name})
    print(
        f"{people} people at {rate:g} Hz: {np.median(costs):.3f} ms a frame (median), "
        f"{np.percentile(costs, 99):.3f} ms (99th); ids switched in {_SECONDS:.0f} s: {switches}"
    )


def _follow(
    follower: People, boxes: Boxes, certain: np.ndarray, faces: list[Detection], stamp: float
) -> list[str]:
    """Follow what face detector and classifier have found; return the id of each face, "" where left out."""
    rows = follower.find(boxes, certain, stamp)
    keep = certain | (rows >= 0)
    seen = follower.see(rows[keep], list(itertools.compress(faces, keep)), stamp)
    follower.learn(seen, stamp)
    ids = iter(one.id for one in seen)
    return [next(ids) if kept else "" for kept in keep]


def measure_clip(detector: MaskDetector, clip: str) -> None:
    """Print how often labels change, raw and settled, and what was told when."""
    video = VideoDetector(detector, People(detector.class_ids))
    raw, settled, times, told = defaultdict(list), defaultdict(list), defaultdict(list), []
    with open_source(clip) as source:
        for frame in source:
            seen = video.see(frame.image, frame.time)
            for glance, person in zip(seen.raw, seen.people, strict=True):
                raw[person.id].append(glance.class_id)
                settled[person.id].append(person.class_id)
                times[person.id].append(frame.time)
            changes = video.people.learn(seen.people, frame.time)
            told += [f"{frame.time:.2f} s: {one.id} {one.class_id or 'left'}" for one in changes]
    minutes = sum(seen[-1] - seen[0] for seen in times.values()) / 60
    rates = (_changes(labels) / minutes if minutes else 0.0 for labels in (raw, settled))
    print(f"{clip}: {len(times)} ids; label changes a minute and person: {next(rates):.1f} raw, ", end="")
    print(f"{next(rates):.1f} settled; told: {', '.join(told)}")


def _changes(labels: dict[str, list[str]]) -> int:
    return sum(one != other for row in labels.values() for one, other in zip(row, row[1:], strict=False))


def main() -> None:
    """Measure the crowd, or the clips named on the command line."""
    if clips := sys.argv[1:]:
        detector = MaskDetector(make_face_detector(), make_classifier())
        for clip in clips:
            measure_clip(detector, clip)
    else:
        for people, rate in ((1, 15.0), (10, 15.0), (12, 7.5), (12, 15.0), (12, 30.0)):
            measure_crowd(people, rate)


if __name__ == "__main__":
    main()
