"""What a run must keep to go on after a kill as if nothing had happened.

Plain arrays in one .npz, replaced in one step: weights, optimizer, moving average, best model so
far and the history. It reads alike under every Keras backend.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.arrays import save_arrays

Arrays = list[NDArray]


@dataclass
class RunState:
    """A run after `epoch` finished epochs; `start`, `average` and `best` are weights in the model's order."""

    epoch: int = 0
    start: Arrays = field(default_factory=list)
    average: Arrays = field(default_factory=list)
    best: Arrays = field(default_factory=list)
    best_score: float = -1.0
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def follow(self, weights: Sequence[Any], decay: float, step: int) -> None:
        """Move the average towards the weights; faster at first, when it still holds the start."""
        share = 1 - min(decay, (1 + step) / (10 + step))
        for average, weight in zip(self.average, weights, strict=True):
            average += share * (keras.ops.convert_to_numpy(weight) - average)

    def keep_best(self, score: float, epoch: int) -> None:
        """Keep the averaged weights of an epoch that is better than those before."""
        if score > self.best_score:
            self.best_score, self.best_epoch = score, epoch
            self.best = [average.copy() for average in self.average]

    def result(self, keep: float) -> Arrays:
        """Return the best weights, with a share of `keep` of those at the start.

        A network trained further and the one that it comes from err differently, and a mean of their weights
        is often steadier than either (WiSE-FT, Wortsman and others, 2022).
        """
        if not keep:
            return self.best
        return [keep * start + (1 - keep) * best for start, best in zip(self.start, self.best, strict=True)]

    def record(self, facts: dict[str, Any]) -> None:
        """Add and print the line of a finished epoch."""
        self.epoch = facts["epoch"]
        self.history.append(facts)
        shown = ", ".join(f"{key} {value:.4f}" for key, value in facts.items() if key != "epoch")
        print(f"epoch {self.epoch}: {shown}", flush=True)


def arrays_of(variables: list[Any]) -> Arrays:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def save_state(path: Path, state: RunState, model: keras.Model) -> None:
    """Write the state and the variables of the model and its optimizer; a kill leaves the old file."""
    groups = {
        "start": state.start,
        "average": state.average,
        "best": state.best,
        "model": arrays_of(_all_variables(model)),
        "optimizer": arrays_of(model.optimizer.variables),
    }
    arrays = {f"{name}_{i:04}": array for name, group in groups.items() for i, array in enumerate(group)}
    facts = {"epoch": state.epoch, "best_score": state.best_score, "best_epoch": state.best_epoch}
    save_arrays(path, {"facts": json.dumps({**facts, "history": state.history}), **arrays})


def load_state(path: Path) -> RunState:
    """Return the state in `path`; `restore_variables` gives the model its own part."""
    with np.load(path) as arrays:
        facts = json.loads(str(arrays["facts"]))
        groups = {name: _group(arrays, name) for name in ("start", "average", "best")}
        return RunState(**groups, **facts)


def restore_variables(path: Path, model: keras.Model) -> None:
    """Give a compiled model and its optimizer the variables in `path`, which must be of the same phase."""
    with np.load(path) as arrays:
        _assign(_all_variables(model), _group(arrays, "model"))
        _assign(model.optimizer.variables, _group(arrays, "optimizer"))


def _all_variables(model: keras.Model) -> list[Any]:
    """Weights, and the states of its random layers, which `weights` leaves out."""
    metrics = {id(variable) for variable in model.metrics_variables}
    return [variable for variable in model.variables if id(variable) not in metrics]


def _group(arrays: Any, name: str) -> Arrays:
    return [arrays[key] for key in sorted(arrays.files) if key.startswith(f"{name}_")]


def _assign(variables: list[Any], values: Arrays) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
