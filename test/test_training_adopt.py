"""Models that other projects made run in the node once they are adopted; what holds code is refused."""

import json

import h5py
import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="training needs TensorFlow with Keras 3: pip install tensorflow")
pytest.importorskip("tensorflow")

from mask_detector.classifiers import make_classifier  # noqa: E402
from mask_detector.face_detectors import make_face_detector  # noqa: E402
from mask_detector.model_store import load_manifest  # noqa: E402
from mask_detector.pipeline import MaskDetector  # noqa: E402
from training.adopt import SCALINGS, main  # noqa: E402
from training.colours import Scaling  # noqa: E402
from training.errors import TrainingError  # noqa: E402
from training.foreign import load_foreign  # noqa: E402

layers = keras.layers
MASK, IMPROPER, NO_MASK = load_manifest().class_ids


def small_model(outputs: int = 2, activation: str | None = "softmax", *first) -> keras.Model:
    """A classifier as the classic projects build it, small."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *first,
            layers.Conv2D(4, 3, activation="relu"),
            layers.DepthwiseConv2D(3),
            layers.SeparableConv2D(4, 3),
            layers.Flatten(),
            layers.Dense(outputs, activation=activation),
        ]
    )


@pytest.fixture
def adopt(tmp_path, capsys):
    """Adopt a file; return the runtimes' classifiers by name, or the message that it ends with."""

    def call(file, classes, scaling, *more):
        models = tmp_path / "models"
        try:
            main([str(file), "--classes", classes, "--scaling", scaling, "--models", str(models), *more])
        except SystemExit:
            return capsys.readouterr().err
        path = str(models / file.stem)
        return {runtime: make_classifier(path, runtime) for runtime in ("keras", "litert", "opencv")}

    return call


def as_keras_2_writes_it(model: keras.Model, path) -> None:
    """Save as HDF5 with what Keras 2 says of depthwise layers, which Keras 3 by itself refuses."""
    model.save(path.with_suffix(".h5"))
    path.with_suffix(".h5").replace(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] in ("DepthwiseConv2D", "SeparableConv2D"):
                layer["config"]["groups"] = 1
            if layer["class_name"] == "SeparableConv2D":
                layer["config"]["kernel_initializer"] = None
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"


def test_an_old_two_class_model_runs_in_all_runtimes_and_in_the_pipeline(tmp_path, adopt, astronaut):
    model, file = small_model(), tmp_path / "mask_detector.model"
    as_keras_2_writes_it(model, file)
    classifiers = adopt(file, f"{NO_MASK},{MASK}", "minus_one_to_one", "--bgr", "--margin", "1.2")
    crops = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    theirs = np.array(model(crops[..., ::-1].astype(np.float32) / 127.5 - 1))
    for classifier in classifiers.values():
        scores = classifier.classify(crops)
        assert scores[:, [2, 0]] == pytest.approx(theirs, abs=1e-3)
        assert (scores[:, 1] == 0).all()
    assert classifiers["litert"].info.crop_margin == 1.2
    (person,) = MaskDetector(make_face_detector(), classifiers["litert"]).detect(astronaut)
    assert set(person.scores) == {MASK, IMPROPER, NO_MASK}


def test_three_classes_in_their_own_order_and_a_single_sigmoid(tmp_path, adopt):
    crops = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    three, one = small_model(3), small_model(1, "sigmoid")
    three.save(tmp_path / "three.keras")
    one.save(tmp_path / "one.keras")
    scores = adopt(tmp_path / "three.keras", f"{IMPROPER},{NO_MASK},{MASK}", "zero_to_255")[
        "litert"
    ].classify(crops)
    assert scores[:, [1, 2, 0]] == pytest.approx(np.array(three(crops.astype(np.float32))), abs=1e-3)
    scores = adopt(tmp_path / "one.keras", f"{NO_MASK},{MASK}", "zero_to_one")["litert"].classify(crops)
    assert scores[:, 0] == pytest.approx(np.array(one(crops.astype(np.float32) / 255))[:, 0], abs=1e-3)
    assert scores.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_code_in_a_model_is_refused_and_not_run(tmp_path, adopt, suffix):
    file = tmp_path / f"evil{suffix}"
    small_model(2, "softmax", layers.Lambda(lambda pixels: pixels / 255, name="evil")).save(file)
    assert "has a Lambda layer 'evil', which is code" in adopt(file, f"{MASK},{NO_MASK}", "zero_to_one")


@pytest.mark.parametrize(
    ("model", "classes", "told"),
    [
        (small_model(2, None), f"{MASK},{NO_MASK}", "not to 1: end it in a softmax"),
        (small_model(3), f"{MASK},{NO_MASK}", "gives [(3,)], but --classes names 2"),
        (small_model(), f"{MASK},with_mask", "--classes is 'mask,with_mask': name two or three of mask, "),
    ],
)
def test_a_model_that_is_no_classifier_of_these_classes_is_refused(tmp_path, adopt, model, classes, told):
    model.save(tmp_path / "other.keras")
    message = adopt(tmp_path / "other.keras", classes, "zero_to_255")
    assert len(message.splitlines()) == 1
    assert told in message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no file"),
        (b"PK\3\4 no archive", "neither a .keras file nor"),
        (b"\x89HDF\r\n\x1a\n", "cannot be read"),
    ],
)
def test_what_is_no_model_is_named(tmp_path, content, told):
    path = tmp_path / "model.keras"
    if content:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match=f"{path}.* {told}|{told} {path}"):
        load_foreign(path)


def test_a_name_that_is_taken_is_not_replaced_unasked(tmp_path, adopt):
    small_model().save(tmp_path / "mine.keras")
    asked = (tmp_path / "mine.keras", f"{MASK},{NO_MASK}", "zero_to_255")
    assert len(adopt(*asked)) == 3
    assert "holds a model 'mine' already: choose another --name, or give --replace" in adopt(*asked)


@pytest.mark.parametrize("name", SCALINGS)
def test_the_layer_for_colours_does_what_the_function_does(name):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype(np.float32)
    layer = Scaling.of(SCALINGS[name]).layer()
    scaled = np.array(layer(pixels)) if layer else pixels
    assert scaled == pytest.approx(np.array(SCALINGS[name](pixels.copy())), abs=1e-3)
