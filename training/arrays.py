"""Arrays in an .npz that is replaced as a whole: a kill or a full disk leaves what was there before."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from training.errors import TrainingError


def save_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays by name.

    Raises:
        TrainingError: the file cannot be written; what it held before is still there.
    """
    partial = path.with_suffix(".partial.npz")
    try:
        np.savez(partial, **arrays)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise TrainingError(
            f"cannot write {path}: {error.strerror or error}; nothing was replaced"
        ) from error
