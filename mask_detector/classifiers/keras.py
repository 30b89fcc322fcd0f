"""Keras: the reference runtime, for comparing and for models of one's own; it starts slowly."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read at import; a user has no use for its banners

import keras  # noqa: E402
import numpy as np  # noqa: E402

from mask_detector.classifiers.base import Scores  # noqa: E402
from mask_detector.crops import Image  # noqa: E402
from mask_detector.errors import ModelError  # noqa: E402
from mask_detector.model_store import ClassifierInfo  # noqa: E402


class Keras:
    """Classifier by a `.keras` file, loaded in safe mode: no code in it is run.

    Raises:
        ModelError: the file is not a Keras model.
    """

    runtime = "keras"

    def __init__(self, info: ClassifierInfo, model: Path, threads: int) -> None:
        self.info = info
        try:
            self._model = keras.saving.load_model(model, compile=False, safe_mode=True)
        except (ValueError, TypeError, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(
                f"{model} is not a model that Keras {keras.__version__} can read: {reason:.200}"
            ) from error

    def classify(self, crops: Image) -> Scores:
        """Return class probabilities; see `Classifier.classify`."""
        if len(crops) == 0:
            return np.empty((0, self._model.output_shape[-1]), np.float32)
        return keras.ops.convert_to_numpy(self._model(crops.astype(np.float32), training=False))
