"""What training writes is whole or not there: a disk that is full takes nothing away."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from media import full_disk

from training.arrays import save_arrays
from training.errors import TrainingError
from training.formats.base import write_file
from training.manifest import state


def test_arrays_that_do_not_fit_leave_those_before(tmp_path):
    path = tmp_path / "checkpoint.npz"
    save_arrays(path, {"weights": np.arange(9)})
    with (
        full_disk(100_000),
        pytest.raises(TrainingError, match=f"cannot write {path}: File too large; nothing was replaced"),
    ):
        save_arrays(path, {"weights": np.zeros(200_000)})
    with np.load(path) as arrays:
        assert arrays["weights"].tolist() == list(range(9))
    assert os.listdir(tmp_path) == ["checkpoint.npz"]


def test_a_file_that_does_not_fit_leaves_the_one_before(tmp_path):
    path = tmp_path / "history.csv"
    write_file(path, b"epoch")
    with full_disk(100_000), pytest.raises(TrainingError, match=f"cannot write {path}: File too large"):
        write_file(path, bytes(200_000))
    assert path.read_bytes() == b"epoch"
    assert os.listdir(tmp_path) == ["history.csv"]


def test_a_model_that_does_not_fit_leaves_all_of_the_one_before(tmp_path):
    models, run = tmp_path / "models", tmp_path / "run"
    run.mkdir()
    files = {runtime: run / f"mine.{runtime}" for runtime in ("keras", "litert")}

    def stated(*sizes: int) -> None:
        for file, size in zip(files.values(), sizes, strict=True):
            file.write_bytes(bytes(size))
        with full_disk(100_000):
            state(models, "classifiers", "mine", files, {})

    stated(10, 20)
    before = {path.name: path.read_bytes() for path in models.iterdir()}
    with pytest.raises(TrainingError, match="mine.litert: File too large; nothing was replaced"):
        stated(11, 200_000)
    assert {path.name: path.read_bytes() for path in models.iterdir()} == before


def test_a_library_that_is_missing_is_told_in_one_line(tmp_path):
    (tmp_path / "tqdm.py").write_text("raise ModuleNotFoundError('No module named tqdm', name='tqdm')")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).resolve().parents[1])])
    command = [sys.executable, "-m", "training.prepare"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (1, "training needs tqdm: pip install tqdm\n")
