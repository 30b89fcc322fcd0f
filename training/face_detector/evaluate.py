"""Report how well a face detector finds people, beside YuNet, a cascade and a published peer.

    python -m training.face_detector.evaluate --data ../shared/data --report models/report_faces
    python -m training.face_detector.evaluate --data ../shared/data --models my_models

The last lines say whether the targets hold: at as many finds that no label explains as YuNet makes at a
score of 0.6, over the validation and test scenes, faces from 24 pixels, overlap (IoU) from 0.4.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import cv2

from training.face_detector.compare import OURS, REFERENCE, THREADS, compare, detectors, labelled
from training.face_detector.nobody import pictures_of_nobody
from training.face_detector.report import targets, write_report
from training.face_detector.scenes import read_scenes
from training.face_detector.settings import load_detector_config
from training.options import told

_PEER = "models/peer_aizoo_face_mask_detection.tflite"


def main(argv: list[str] | None = None) -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "training.face_detector.evaluate", description=__doc__, formatter_class=form
    )
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="the pictures (%(default)s)"
    )
    parser.add_argument(
        "--sets", nargs="+", help="COCO files in it (default: validation and test of the settings)"
    )
    parser.add_argument(
        "--peer", type=Path, help=f"the peer's .tflite (default: {_PEER} beside the data, if there)"
    )
    parser.add_argument("--detector", default=OURS, help="name in the manifest (%(default)s)")
    parser.add_argument("--models", type=Path, help="folder of manifest.json (default: the project's models)")
    parser.add_argument("--report", type=Path, help="folder for the report")
    options = parser.parse_args(argv)
    cv2.setNumThreads(THREADS)
    with told(parser):
        settings = load_detector_config().data
        sets = options.sets or [settings.val, settings.test]
        scenes = [scene for name in sets for scene in read_scenes(options.data / name)]
        beside = options.data.resolve().parent / _PEER
        peer = options.peer or (beside if beside.is_file() else None)
        made, faces = detectors(peer, options.detector, options.models), labelled(scenes)
        nobody = pictures_of_nobody(replace(settings, root=str(options.data)), made[REFERENCE])
        results = compare(made, scenes, nobody)
        if options.report:
            write_report(options.report, results, faces, sets)
            print((options.report / "report.md").read_text())
        lines, held = targets(results, faces)
        print("\n".join(lines))
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
