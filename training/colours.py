"""Scaling of colours as layers of the model, so that every runtime gives it RGB from 0 to 255.

What networks expect (-1 to 1, BGR without the mean of ImageNet, ...) is always a matrix and an offset.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scaling:
    """`rgb @ matrix + offset`, of shapes (3, 3) and (3,), for RGB from 0 to 255."""

    matrix: NDArray[np.float32]
    offset: NDArray[np.float32]

    @classmethod
    def of(cls, preprocess: Callable[[NDArray], Any]) -> "Scaling":
        """Return what a `preprocess_input` of Keras does to RGB pictures of shape (N, 1, 1, 3)."""
        pixels = np.concatenate([np.zeros((1, 3)), 255 * np.eye(3)]).astype(np.float32)
        offset, *ends = np.asarray(preprocess(pixels[:, None, None])).reshape(4, 3)
        return cls((np.array(ends) - offset) / 255, offset)

    def layer(self) -> keras.layers.Layer | None:
        """Return the layer that scales so, None where nothing is to be done."""
        factors = np.diag(self.matrix)
        if not np.allclose(self.matrix, np.diag(factors), atol=1e-6):
            turning = keras.layers.Conv2D(3, 1, trainable=False, name="colours")
            turning.build((None, None, None, 3))
            turning.set_weights([self.matrix[None, None], self.offset])
            return turning
        if np.allclose(factors, 1) and not self.offset.any():
            return None
        return keras.layers.Rescaling(_short(factors), _short(self.offset))


def _short(values: NDArray[np.float32]) -> float | list[float]:
    """Return one number where all are the same."""
    return float(values[0]) if np.ptp(values) == 0 else values.tolist()
