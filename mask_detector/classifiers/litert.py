"""LiteRT (TensorFlow Lite): the default runtime, small and quick to start."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from mask_detector.classifiers.base import Scores
from mask_detector.crops import Image
from mask_detector.errors import ModelError
from mask_detector.model_store import ClassifierInfo
from mask_detector.quiet import libraries_muted
from mask_detector.workers import Workers, threads_now


class LiteRT:
    """Classifier by a `.tflite` file with float input and output.

    One face alone is classified by all threads together. Several are classified side by side, each by a
    network of one thread: threads within one network wait for each other after each layer.

    Raises:
        ModelError: the file is not a LiteRT model with float input.
    """

    runtime = "litert"

    def __init__(self, info: ClassifierInfo, model: Path, threads: int) -> None:
        self.info = info
        # Not by its path: a file that is mapped and then cut short would end the process.
        self._content = model.read_bytes()
        self._threads = threads
        self._narrow: list[_Network] = []
        self._others = ThreadPoolExecutor(max(1, threads - 1))
        try:
            self._together = _Network(self._content, threads)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{model} is no LiteRT model with float input: {error}") from error

    def classify(self, crops: Image) -> Scores:
        """Return class probabilities; see `Classifier.classify`."""
        scores = np.empty((len(crops), self._together.outputs), np.float32)
        left = iter(range(len(crops)))
        own, *others = self._crew(len(crops))
        shares = [self._others.submit(network.work_off, left, crops, scores) for network in others]
        own.work_off(left, crops, scores)
        for share in shares:
            if not share.cancel():  # on a busy machine it may not even have begun
                share.result()
        return scores

    def _crew(self, faces: int) -> list["_Network"]:
        """Return the networks to be at work at once; those that were never needed are made."""
        wanted = min(self._threads, faces)
        if wanted <= 1:
            return [self._together]
        while len(self._narrow) < wanted:
            self._narrow.append(_Network(self._content, 1))
        return self._narrow[:wanted]


class _Network:
    """One copy of the model; `outputs` is how many probabilities it gives."""

    def __init__(self, content: bytes, threads: int) -> None:
        before = threads_now()
        with libraries_muted():  # it announces its choice of kernels
            self._interpreter = Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        self._workers = Workers(threads_now() - before)
        output = self._interpreter.get_output_details()[0]
        given = self._interpreter.get_input_details()[0]
        if given["dtype"] != np.float32:
            raise ValueError(f"its input is {given['dtype'].__name__}, not float32")
        self._input = self._interpreter.tensor(given["index"])
        self._output = self._interpreter.tensor(output["index"])
        self.outputs = int(output["shape"][-1])

    def work_off(self, left: Iterator[int], crops: Image, scores: Scores) -> None:
        """Classify one crop after another, as long as there are numbers of crops left."""
        for number in left:
            self._input()[0] = crops[number]
            self._workers.keep_off_this_core()
            self._interpreter.invoke()
            scores[number] = self._output()[0]
