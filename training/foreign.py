"""Read Keras models that others made, without running code that is in them.

A `.keras` file is an archive with its layers as JSON; the `.h5` of older projects (or a file without a
suffix, such as `mask_detector.model`) keeps them in an attribute. Both are looked at before Keras is.
"""

import json
import shutil
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import keras

from training.errors import TrainingError

_HDF5 = b"\x89HDF"
_KERNEL = ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")
_UNKNOWN = {"DepthwiseConv2D": _KERNEL[:1], "SeparableConv2D": _KERNEL}  # written by Keras 2, refused by 3


def load_foreign(path: Path) -> keras.Model:
    """Return the model in a `.keras` or HDF5 file of Keras 2 or 3.

    Raises:
        TrainingError: it is no model, holds code, or is made of layers that this Keras does not know.
    """
    if path.is_dir():
        raise TrainingError(f"{path} is a folder (a SavedModel?): save the model as .keras or .h5")
    if not path.is_file():
        raise TrainingError(f"no file {path}: give a Keras model, .keras or .h5")
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on how the makers of a model might have written it today
        try:
            copy = _readable_copy(path, Path(folder))
            return keras.saving.load_model(copy, compile=False, safe_mode=True)
        except (ValueError, TypeError, OSError, KeyError) as error:
            reason = " ".join(str(error).split())
            raise TrainingError(
                f"{path} cannot be read by Keras {keras.__version__}: {reason:.300}"
            ) from error


def _readable_copy(path: Path, folder: Path) -> Path:
    """Copy the file under the suffix that Keras goes by, and mend what Keras 3 stumbles over."""
    with path.open("rb") as file:
        hdf5 = file.read(4) == _HDF5
    if not hdf5 and not zipfile.is_zipfile(path):
        raise TrainingError(f"{path} is neither a .keras file nor HDF5 (.h5)")
    copy = Path(shutil.copyfile(path, folder / f"model{'.h5' if hdf5 else '.keras'}"))
    if not hdf5:
        with zipfile.ZipFile(copy) as archive:
            _refuse_code(json.loads(archive.read("config.json")), path)
            version = json.loads(archive.read("metadata.json"))["keras_version"]
        if version.startswith("2."):
            raise TrainingError(
                f"{path} is of Keras {version}: save the model there as .h5, which can be read"
            )
        return copy
    with h5py.File(copy, "r+") as file:
        if "model_config" not in file.attrs:
            raise TrainingError(f"{path} holds weights without the model: save the whole model")
        layers = json.loads(file.attrs["model_config"])
        _refuse_code(layers, path)
        for part in _parts(layers):
            for key in _UNKNOWN.get(part.get("class_name"), ()):
                part["config"].pop(key, None)
        file.attrs["model_config"] = json.dumps(layers)
    return copy


def _refuse_code(layers: Any, path: Path) -> None:
    for part in _parts(layers):
        if part.get("class_name") == "Lambda":
            name = part.get("config", {}).get("name", "lambda")
            raise TrainingError(
                f"{path} has a Lambda layer '{name}', which is code and is not run: build it of Keras layers"
            )


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every dictionary inside JSON content."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _parts(part)
