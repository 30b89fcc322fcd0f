"""Report how good a classifier of the manifest is, run as the node runs it.

    python -m training.evaluate --run runs/classifier --report models/report

The faces are those of the validation and test scenes of the run's settings, once with the labelled
boxes and once with the boxes that the node's own face detector finds.
"""

from pathlib import Path

import numpy as np

from mask_detector.classifiers import RUNTIMES, Classifier, make_classifier
from mask_detector.errors import MaskDetectorError
from mask_detector.model_store import load_manifest
from training.config import Config
from training.figures import Sets, grouped_figures, judged
from training.options import settings_of, step_parser
from training.prepare import SETS, prepared
from training.report import plot_confusion, plot_reliability, write_report

TITLES = {
    "val": "Validation scenes, labelled boxes",
    "test": "Test scenes, labelled boxes",
    "val_found": "Validation scenes, boxes of the face detector",
    "test_found": "Test scenes, boxes of the face detector",
}


def evaluate(classifier: Classifier, config: Config, run: Path, report: Path) -> Sets:
    """Write the report on `classifier` into the folder `report`; return its figures by set and group."""
    classes, sets = load_manifest().class_ids, {}
    report.mkdir(parents=True, exist_ok=True)
    for kind in SETS[1:]:
        faces = prepared(config, run, kind)
        if not len(faces):
            continue
        scores = classifier.classify(faces.crops)
        sets[TITLES[kind]] = grouped_figures(faces, scores, classes)
        large = judged(faces)
        matrix = np.array(sets[TITLES[kind]]["all"]["confusion"])
        plot_confusion(report / f"confusion_{kind}.png", matrix, classes)
        plot_reliability(report / f"reliability_{kind}.png", faces.labels[large], scores[large])
    write_report(report, classifier.info.name, sets, classes)
    return sets


def main() -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--classifier", default="", help="name in the manifest (the default one)")
    parser.add_argument("--runtime", default="litert", choices=RUNTIMES)
    parser.add_argument("--report", type=Path, required=True, help="folder for the report")
    options = parser.parse_args()
    try:
        config = settings_of(options.run)
        evaluate(make_classifier(options.classifier, options.runtime), config, options.run, options.report)
    except MaskDetectorError as error:
        parser.exit(2, f"{error}\n")
    print((options.report / "report.md").read_text())


if __name__ == "__main__":
    main()
