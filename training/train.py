"""Train the classifier: first its head on frozen ImageNet features, then all of it.

    python -m training.train --data ../shared/data --run runs/classifier
    python -m training.train --run runs/classifier --resume      # after a kill

The run folder receives the settings in effect (config.yaml), a line an epoch (history.csv), curves
(curves.png) and the best model (best.keras): the one whose averaged weights reach the highest
macro-F1 on the validation scenes, mixed with the weights at the start if `train.keep` says so.
"""

import math
import time
from pathlib import Path
from typing import Any

import keras

from mask_detector.background import class_scores
from mask_detector.model_store import load_manifest
from training.batches import batches
from training.board import open_board
from training.config import Config, TrainConfig
from training.cropset import CropSet
from training.errors import TrainingError
from training.figures import judged, require_judged
from training.history import plot_history, write_history
from training.metrics import class_figures, confusion_matrix, log_loss, macro_f1
from training.model import build_model, freeze_before, learner_of, predicted
from training.options import add_settings, settings_for, settings_kept, step_parser, told
from training.prepare import prepared
from training.progress import shown
from training.state import RunState, arrays_of, load_state, restore_variables, save_state
from training.teachers import Teachers


def train(config: Config, run: Path, resume: bool = False) -> Path:
    """Train as `config` says and return the path of the best model."""
    checkpoint = run / "checkpoint.npz"
    if checkpoint.is_file() and not resume:
        raise TrainingError(f"{run} holds a run already: go on with --resume, or name another --run")
    outputs = len(load_manifest().class_ids) + bool(config.background.count)
    keras.utils.set_random_seed(config.seed)
    model = build_model(config.model, config.crops.size, outputs)  # first: crops take long, it can be wrong
    learner = learner_of(model)
    freeze_before(model, config.train.unfreeze_from)
    teachers = Teachers(config.distil)
    config.save(run / "config.yaml")  # before the crops, which take long: a kill leaves it to --resume
    val_set = prepared(config, run, "val")
    require_judged(val_set)
    train_set = prepared(config, run, "train")
    state = load_state(checkpoint) if checkpoint.is_file() else _begun(model)
    _enter_phase(learner, config, state.epoch, checkpoint)
    board = open_board(run / "tensorboard")
    while not _finished(state, config.train):
        if state.epoch == config.train.head_epochs:
            _compile(learner, config, state.epoch)
        state.record(_run_epoch(model, learner, state, train_set, val_set, teachers, config))
        save_state(checkpoint, state, learner)
        write_history(run / "history.csv", state.history)
        board.show(state.history[-1])
    plot_history(run / "curves.png", state.history)
    _save_best(model, state, config.train.keep, run / "best.keras")
    facts = _validate(model, val_set)
    print(f"best epoch {state.best_epoch}: macro-F1 {facts['val_macro_f1']:.4f} on the validation scenes")
    return run / "best.keras"


def _begun(model: keras.Model) -> RunState:
    return RunState(start=arrays_of(model.weights), average=arrays_of(model.weights))


def _finished(state: RunState, config: TrainConfig) -> bool:
    return state.epoch >= config.epochs or state.epoch - state.best_epoch >= config.patience


def _save_best(model: keras.Model, state: RunState, keep: float, path: Path) -> None:
    model.set_weights(state.result(keep))
    partial = path.with_name(f"partial.{path.name}")
    model.save(partial, include_optimizer=False)
    partial.replace(path)


def _enter_phase(learner: keras.Model, config: Config, epoch: int, checkpoint: Path) -> None:
    """Compile for the phase of the last finished epoch and take up its variables."""
    _compile(learner, config, max(epoch - 1, 0))
    if epoch:
        restore_variables(checkpoint, learner)


def _compile(learner: keras.Model, config: Config, epoch: int) -> None:
    """Freeze what the phase of `epoch` keeps, with an optimizer of its own."""
    head = epoch < config.train.head_epochs
    freeze_before(learner, "" if head else config.train.unfreeze_from)
    optimizer = keras.optimizers.AdamW(1e-3, weight_decay=config.train.weight_decay, clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    smoothing = config.train.label_smoothing
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    learner.compile(optimizer, [loss] * len(learner.outputs))
    optimizer.build(learner.trainable_variables)
    blank = [keras.ops.zeros((1, output.shape[-1])) for output in learner.outputs]
    # makes the metrics of the loss: made in the first step, they would have TensorFlow trace that twice
    learner.compute_loss(y=blank, y_pred=blank)


def _run_epoch(
    model: keras.Model,
    learner: keras.Model,
    state: RunState,
    train_set: CropSet,
    val_set: CropSet,
    teachers: Teachers,
    config: Config,
) -> dict[str, Any]:
    """Train one epoch, updating the moving average, and return its line of the history."""
    began, loss, epoch = time.monotonic(), 0.0, state.epoch
    keras.utils.set_random_seed(config.seed + epoch)  # PyTorch's dropout has a state that no checkpoint holds
    learner.reset_metrics()  # else the loss would be the mean since the process began
    steps = math.ceil(config.train.epoch_size / config.train.batch_size)
    drawn = teachers.taught(batches(train_set, model.output_shape[-1], config, epoch), config)
    for step, (images, targets) in enumerate(shown(drawn, f"epoch {epoch + 1}", steps)):
        learner.optimizer.learning_rate.assign(learning_rate(config.train, epoch + step / steps))
        told = learner.train_on_batch(images, [targets] * len(learner.outputs), return_dict=True)
        loss = float(told["loss"]) / len(learner.outputs)  # the mean of the epoch so far
        state.follow(model.weights, config.train.averaging, epoch * steps + step)
    own = arrays_of(model.weights)
    model.set_weights(state.average)
    facts = _validate(model, val_set)
    facts |= {"epoch": epoch + 1, "loss": loss, "seconds": time.monotonic() - began}
    # the smaller loss decides between near equals
    state.keep_best(facts["val_macro_f1"] - 0.05 * facts["val_loss"], facts["epoch"])
    model.set_weights(own)
    return facts


def learning_rate(config: TrainConfig, progress: float) -> float:
    """Return the rate after `progress` epochs: constant for the head, then a warm-up and a cosine to zero."""
    if progress < config.head_epochs:
        return config.head_rate
    done = (progress - config.head_epochs) / (config.epochs - config.head_epochs)
    warm = min(1.0, progress - config.head_epochs + 0.05)
    return config.rate * warm * 0.5 * (1 + math.cos(math.pi * done))


def _validate(model: keras.Model, val_set: CropSet) -> dict[str, Any]:
    """Return the figures on the validation faces that are large enough to judge."""
    faces, names = val_set.where(judged(val_set)), load_manifest().class_ids
    probabilities = class_scores(predicted(model, faces.crops), len(names))
    matrix = confusion_matrix(faces.labels, probabilities.argmax(1), len(names))
    facts = {"val_macro_f1": macro_f1(matrix), "val_loss": log_loss(faces.labels, probabilities)}
    return facts | {f"val_f1_{name}": f.f1 for name, f in zip(names, class_figures(matrix), strict=True)}


def main(argv: list[str] | None = None) -> None:
    parser = step_parser(__doc__)
    add_settings(parser)
    parser.add_argument("--resume", action="store_true", help="go on with the run in the run folder")
    options = parser.parse_args(argv)
    with told(parser):
        config = settings_kept(options) if options.resume else settings_for(options)
        train(config, options.run, options.resume)


if __name__ == "__main__":
    main()
