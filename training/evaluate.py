"""Report how good the classifier is that a run exported, or any other, run as the node runs it.

    python -m training.evaluate --run runs/classifier
    python -m training.evaluate --run runs/mine --models my_models      # where `training.export` put it

The faces are those of the validation and test scenes of the run's settings: with the labelled boxes,
with the boxes that the node's own face detector finds, and as the whole pipeline finds and tells them.
report.md, report.json and plots go to report/NAME in the models folder; the worst mistakes, which show
people, go to mistakes_*.png and .csv in the run folder alone.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from mask_detector.background import class_scores
from mask_detector.classifiers import RUNTIMES, Classifier, make_classifier
from mask_detector.face_detectors import make_face_detector
from mask_detector.model_store import ClassifierInfo, load_manifest, share_folder
from mask_detector.pipeline import MaskDetector
from training.conditions import condition_figures
from training.config import Config
from training.data import Refused, scene_pictures
from training.errors import TrainingError
from training.figures import Figures, Sets, grouped_figures, judged
from training.mistakes import save_mistakes
from training.options import settings_of, step_parser, told
from training.prepare import SETS, WITHOUT_FACE, prepared, scene_faces
from training.published import pipelines, published_figures
from training.rejection import rejection_figures
from training.report import Report, plot_confusion, plot_reliability, write_report
from training.scenes import scene_figures

TITLES = {
    "val": "Validation scenes, labelled boxes",
    "test": "Test scenes, labelled boxes",
    "val_found": "Validation scenes, boxes of the face detector",
    "test_found": "Test scenes, boxes of the face detector",
}
CONDITIONS = {
    "val": "Validation scenes, labelled boxes from 32 px, in bad conditions",
    "test": "Test scenes, labelled boxes from 32 px, in bad conditions",
}
REJECTION = {"val": "Validation scenes, taken for background", "test": "Test scenes, taken for background"}
FACES = {"val": "labelled faces of the validation scenes", "test": "labelled faces of the test scenes"}
SCENES = {"val": "Validation scenes, whole pipeline", "test": "Test scenes, whole pipeline"}


def evaluate(classifier: Classifier, config: Config, run: Path, report: Path) -> Sets:
    """Write the report on `classifier` into the folder `report`; return its figures by set and group."""
    classes, sets, conditions = load_manifest().class_ids, {}, {}
    report.mkdir(parents=True, exist_ok=True)
    run, config = cut_for(classifier.info, config, run)
    for kind in SETS[1:]:
        faces = prepared(config, run, kind)
        if not len(faces):
            continue
        scores = class_scores(classifier.classify(faces.crops), len(classes))
        sets[TITLES[kind]] = grouped_figures(faces, scores, classes)
        large = judged(faces)
        matrix = np.array(sets[TITLES[kind]]["all"]["confusion"])
        plot_confusion(report / f"confusion_{kind}.png", matrix, classes)
        if large.any():
            plot_reliability(report / f"reliability_{kind}.png", faces.labels[large], scores[large])
            if kind in CONDITIONS:
                conditions[CONDITIONS[kind]] = condition_figures(classifier, faces, classes)
        save_mistakes(run, kind, faces, scores, classes)
    rejection = _rejection(classifier, config, run) if classifier.info.background_threshold else {}
    published, scenes = _published(classifier, config), _scenes(classifier, config)
    told = Report(classifier.info.name, sets, conditions, rejection, published, scenes)
    write_report(report, told, classes)
    return sets


def cut_for(info: ClassifierInfo, config: Config, run: Path) -> tuple[Path, Config]:
    """Return folder and settings of crops for a model; one that sees other crops has a folder of its own."""
    crops = replace(config.crops, size=info.input_size, margin=info.crop_margin)
    return (run, config) if crops == config.crops else (run / info.name, replace(config, crops=crops))


def _rejection(classifier: Classifier, config: Config, run: Path) -> dict[str, Figures]:
    """Return what the classifier takes for background, of the faces of each set and of what is none."""
    classes = load_manifest().class_ids
    return {
        title: rejection_figures(
            classifier, prepared(config, run, kind), prepared(config, run, kind + WITHOUT_FACE), classes
        )
        for kind, title in REJECTION.items()
    }


def _published(classifier: Classifier, config: Config) -> dict[str, Figures]:
    """Return who is published of the scenes of each set, and of pictures of nobody."""
    faces = {
        title: scene_faces(config, getattr(config.data, kind), Refused()) for kind, title in FACES.items()
    }
    return published_figures(pipelines(classifier.info), faces, config.data.root)


def _scenes(classifier: Classifier, config: Config) -> dict[str, Figures]:
    """Return the figures of the whole pipeline on the scenes of each set."""
    detector = MaskDetector(make_face_detector(config.data.face_detector), classifier)
    root, figures = Path(config.data.root), {}
    for kind, title in SCENES.items():
        listed = getattr(config.data, kind)
        pictures = [path for name in listed.scenes for path in scene_pictures(root / name)]
        if pictures:
            figures[title] = scene_figures(detector, pictures, scene_faces(config, listed, Refused()))
    return figures


def _chosen(options: argparse.Namespace, config: Config) -> Classifier:
    """Return the classifier that the command line names, by default the one that the run exported."""
    name, models = options.classifier or config.name, options.models or share_folder() / "models"
    if name == config.name and name not in load_manifest(models).entries["classifiers"]:
        raise TrainingError(
            f"{models} holds no classifier '{name}': export the run first, or name its folder with --models"
        )
    return make_classifier(str(models.resolve() / name) if options.models else name, options.runtime)


def main(argv: list[str] | None = None) -> None:
    parser = step_parser(__doc__)
    parser.add_argument("--classifier", help="name in the manifest, or FOLDER/NAME (the run's own)")
    parser.add_argument("--models", type=Path, help="folder of manifest.json (default: the project's models)")
    parser.add_argument("--runtime", default="litert", choices=RUNTIMES)
    parser.add_argument("--report", type=Path, help="folder for the report (report/NAME beside the model)")
    options = parser.parse_args(argv)
    with told(parser):
        config = settings_of(options.run)
        classifier = _chosen(options, config)
        folder = classifier.info.files[classifier.runtime].path.parent
        report = options.report or folder / "report" / classifier.info.name
        evaluate(classifier, config, options.run, report)
    print((report / "report.md").read_text())


if __name__ == "__main__":
    main()
