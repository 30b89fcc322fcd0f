"""Train the face detector: YuNet's published weights, taught masked faces.

    python -m training.face_detector.train --data ../shared/data --run runs/detector
    python -m training.face_detector.train --run runs/detector --resume      # after a kill

The run folder receives the settings in effect (config.yaml), what the teacher sees and drawn lessons
(lessons), a line an epoch (history.csv), curves (curves.png) and the best model (best.keras): the one whose
averaged weights find the most of the validation scenes' faces at as few unexplained finds as YuNet.
"""

import argparse
import dataclasses
import math
import shutil
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import yaml
from tqdm import tqdm

from mask_detector.face_detectors import FaceSearch
from mask_detector.face_detectors.yunet import YuNet
from training.errors import TrainingError
from training.face_detector.backgrounds import background_lessons, people_free
from training.face_detector.drawn import drawn_lessons, pattern_lessons
from training.face_detector.loss import detection_loss
from training.face_detector.network import HEAD_CHANNELS, build_network
from training.face_detector.samples import batches
from training.face_detector.scenes import Lesson, lessons, read_scenes, teacher_faces
from training.face_detector.settings import DEFAULT_FILE, DetectorConfig, Train, load_detector_config
from training.face_detector.statues import statue_lessons
from training.face_detector.validate import Validation
from training.face_detector.yunet_layout import read_weights
from training.formats.base import write_file
from training.history import plot_history, write_history
from training.options import require_no_other, told
from training.state import RunState, arrays_of, load_state, restore_variables, save_state

_BARE = "no_mask"
_TEACHER = FaceSearch(score_threshold=0.1, min_size=1, input_size=4096)


@dataclass
class Run:
    """What an epoch needs."""

    config: DetectorConfig
    model: keras.Model
    pools: list[tuple[float, list[Lesson]]]
    validation: Validation
    state: RunState


def train(config: DetectorConfig, folder: Path, resume: bool = False) -> Path:
    """Train as `config` says and return the path of the best model."""
    checkpoint = folder / "checkpoint.npz"
    if checkpoint.is_file() and not resume:
        raise TrainingError(f"{folder} holds a run already: go on with --resume, or name another --run")
    write_file(folder / "config.yaml", yaml.safe_dump(dataclasses.asdict(config), sort_keys=False).encode())
    keras.utils.set_random_seed(config.seed)
    model = learner(config)
    state = load_state(checkpoint) if checkpoint.is_file() else RunState(average=arrays_of(model.weights))
    if state.epoch:
        restore_variables(checkpoint, model)
    validation = Validation(config)  # before the lessons, which take long: its set may be wrong
    run = Run(config, model, lesson_pools(config, folder), validation, state)
    while state.epoch < config.train.epochs:
        state.record(_epoch(run))
        save_state(checkpoint, state, model)
        write_history(folder / "history.csv", state.history)
    plot_history(folder / "curves.png", state.history)
    return _save_best(state, folder / "best.keras")


def learner(config: DetectorConfig) -> keras.Model:
    """Return the network as it learns, with the weights to start from: one map (batch, cells, 16)."""
    network = build_network(pixels=config.samples.size)
    _start(network, Path(config.data.start))
    rows = [keras.layers.Reshape((-1, HEAD_CHANNELS))(level) for level in network.outputs]
    model = keras.Model(network.input, keras.layers.Concatenate(axis=1)(rows))
    optimizer = keras.optimizers.AdamW(
        config.train.rate, weight_decay=config.train.weight_decay, clipnorm=5.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    # Under TensorFlow on a processor XLA is fifteen times slower on these convolutions.
    compiled = False if keras.backend.backend() == "tensorflow" else "auto"
    model.compile(optimizer, detection_loss(config.samples.size), jit_compile=compiled)
    optimizer.build(model.trainable_variables)
    return model


def _start(network: keras.Model, file: Path) -> None:
    """Give the network the weights of an ONNX file in YuNet's layout, or of a .keras file of another run."""
    if not file.is_file():
        raise TrainingError(f"data.start: there is no file {file}")
    if file.suffix == ".keras":
        network.set_weights(keras.saving.load_model(file, compile=False, safe_mode=True).get_weights())
    else:
        read_weights(network, file)


def lesson_pools(config: DetectorConfig, folder: Path) -> list[tuple[float, list[Lesson]]]:
    """Return scenes, those with drawn masks and statues, and pictures without people, each with its share."""
    data, samples, seed = config.data, config.samples, config.seed
    empty = people_free(Path(data.root), data.backgrounds)
    scenes = read_scenes(Path(data.root) / data.train, data.corrections)
    folder = _lessons_of(folder, repr([data, samples.drawn_pictures, seed, scenes, empty]))
    teacher = YuNet(Path(data.teacher), _TEACHER)
    real = lessons(scenes, teacher_faces(scenes, teacher, folder / "teacher.npz"), data, _BARE)
    to_draw_on = _some(real, samples.drawn_pictures, seed)
    masked = drawn_lessons(to_draw_on, folder / "drawn", data.masked_scale, seed)
    statues = statue_lessons(to_draw_on, folder / "statues", seed) if samples.statues else []
    pools = [
        (samples.drawn, "with drawn masks", masked),
        (samples.statues, "with statues", statues),
        (samples.patterns, "patterns", pattern_lessons(samples.pattern_pictures, folder / "patterns", seed)),
        (
            samples.backgrounds,
            "backgrounds",
            background_lessons(empty, teacher, folder / "backgrounds", seed),
        ),
    ]
    pools.insert(0, (1 - sum(share for share, _, _ in pools), "scenes", real))
    print(", ".join(f"{len(kind)} {name}" for _, name, kind in pools), flush=True)
    return [(share, kind) for share, _, kind in pools if kind]


def _lessons_of(run: Path, source: str) -> Path:
    """Return the folder for what is drawn from `source`, without what was drawn from anything else."""
    folder, digest = run / "lessons", sha256(source.encode()).hexdigest()
    stamp = folder / "made_from"
    if not stamp.is_file() or stamp.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        write_file(stamp, digest.encode())
    return folder


def _some(real: list[Lesson], most: int, seed: int) -> list[Lesson]:
    """Return `most` of the lessons with bare faces, or all of these."""
    bare = [lesson for lesson in real if lesson.bare.any()]
    return [bare[number] for number in np.random.default_rng(seed).permutation(len(bare))[:most]]


def _epoch(run: Run) -> dict[str, Any]:
    """Train one epoch, updating the moving average, and return its line of the history."""
    began, losses, settings = time.monotonic(), [], run.config.train
    steps = math.ceil(settings.epoch_size / settings.batch_size)
    drawn = batches(run.pools, run.config, run.state.epoch)
    title = f"epoch {run.state.epoch + 1}"
    for step, (images, rows) in enumerate(tqdm(drawn, title, steps, leave=False, disable=None)):
        run.model.optimizer.learning_rate.assign(learning_rate(settings, run.state.epoch + step / steps))
        losses.append(float(run.model.train_on_batch(images, rows)))
        run.state.follow(run.model.weights, settings.averaging, run.state.epoch * steps + step)
    facts = {"epoch": run.state.epoch + 1, "loss": float(np.mean(losses))}
    facts |= run.validation.figures(run.state.average)
    facts["seconds"] = time.monotonic() - began
    run.state.keep_best(facts["val_recall"], facts["epoch"])
    return facts


def learning_rate(config: Train, progress: float) -> float:
    """Return the rate after `progress` epochs: a short warm-up, then a cosine to a hundredth."""
    share = 0.5 * (1 + math.cos(math.pi * progress / config.epochs))
    return config.rate * min(1.0, progress + 0.02) * (0.01 + 0.99 * share)


def _save_best(state: RunState, path: Path) -> Path:
    network = build_network()
    network.set_weights(state.best)
    partial = path.with_name(f"partial.{path.name}")
    network.save(partial)
    partial.replace(path)
    print(f"best epoch {state.best_epoch}: recall {state.best_score:.4f} on the validation scenes")
    return path


def main(argv: list[str] | None = None) -> None:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "training.face_detector.train", description=__doc__, formatter_class=form
    )
    parser.add_argument("--run", type=Path, default=Path("runs/detector"), help="run folder (%(default)s)")
    parser.add_argument("--config", type=Path, help=f"settings ({DEFAULT_FILE})")
    parser.add_argument("--data", help="folder that holds the data, in place of data.root")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the run folder")
    options = parser.parse_args(argv)
    cv2.setNumThreads(1)
    with told(parser):
        if options.resume:
            require_no_other(options, "config")
        file = options.run / "config.yaml" if options.resume else options.config or DEFAULT_FILE
        config = load_detector_config(file)
        if options.data:
            config = dataclasses.replace(config, data=dataclasses.replace(config.data, root=options.data))
        train(config, options.run, options.resume)


if __name__ == "__main__":
    main()
