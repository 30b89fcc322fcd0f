"""What training refuses: settings, pictures, boxes and folders that are not as they should be."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from labelled_sets import blots

from mask_detector.crops import crop_faces
from mask_detector.model_store import load_manifest
from training.augment import augment, centre
from training.conditions import CONDITIONS, dark
from training.config import DEFAULT_FILE, SetConfig, load_config
from training.cropset import BACKGROUND_NAME, DRAWN_NAME, assemble, cut_crops, load_cropset
from training.data import Face, Refused, read_corrections, read_folders, read_scenes, require_every_class
from training.errors import TrainingError
from training.fingerprint import of_pictures, of_scenes
from training.prepare import prepared

CLASSES = load_manifest().class_ids


def settings_file(folder: Path, change) -> Path:
    content = yaml.safe_load(DEFAULT_FILE.read_text())
    change(content)
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def coco_file(folder: Path, *annotations: dict) -> Path:
    (folder / "scenes").mkdir()
    cv2.imwrite(str(folder / "scenes" / "a.png"), np.full((60, 80, 3), 90, np.uint8))
    content = {
        "images": [{"id": 1, "file_name": "scenes/a.png"}, {"id": 2, "file_name": "scenes/gone.png"}],
        "categories": [{"id": n, "name": name} for n, name in enumerate((*CLASSES, "helmet"), 1)],
        "annotations": list(annotations),
    }
    path = folder / "scenes.json"
    path.write_text(json.dumps(content))
    return path


def annotation(number: int, box: tuple, category: int = 1, image: int = 1) -> dict:
    return {"id": number, "image_id": image, "category_id": category, "bbox": list(box)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["train"].update(epoch=3), "unknown setting 'train.epoch'"),
        (lambda c: c["crops"].pop("margin"), "'crops.margin' is missing"),
        (lambda c: c["crops"].update(margin=9), "'crops.margin' is 9"),
        (lambda c: c["augment"].update(jpeg=1.5), "'augment.jpeg' is 1.5"),
        (lambda c: c["augment"].update(scale=[1.2, 0.8]), "augment.scale"),
        (lambda c: c["train"].update(epochs="many"), "'train.epochs' must be int, not 'many'"),
        (lambda c: c["train"].update(head_epochs=99), "train.head_epochs"),
        (lambda c: c["train"].update(rate=-1.0), "'train.rate' is -1.0: allowed is above 0"),
        (lambda c: c["train"].update(rate=float("nan")), "'train.rate' is nan"),
        (lambda c: c["train"].update(rate="3e-4"), "'train.rate': YAML takes 3e-4 for text, write 0.0003"),
        (lambda c: c["train"].update(label_smoothing=2.0), "'train.label_smoothing' is 2.0"),
        (lambda c: c["augment"].update(rotation=-3), "'augment.rotation' is -3"),
        (lambda c: c["augment"].update(scale=["a", "b"]), "augment.scale"),
        (
            lambda c: c["card"].update(credits=[{"by": "Anna"}]),
            "'card.credits' must be str, not {'by': 'Anna'}",
        ),
        (lambda c: c["data"]["train"].update(scenes=[2024]), "'data.train.scenes' must be str, not 2024"),
        (lambda c: c.update(seed=-1), "'seed' is -1"),
        (lambda c: c.update(name="a/b"), "'name' is 'a/b': allowed is letters"),
        (lambda c: c["synthesis"].update(bare="nomask"), "'synthesis.bare' is 'nomask': allowed is mask, "),
        (lambda c: c["synthesis"].update(ways={"upside_down": "mask"}), "synthesis.ways' is 'upside_down'"),
        (lambda c: c["data"].update(folder_weight={"maks": 0.5}), "'data.folder_weight' is 'maks'"),
        (lambda c: c["data"].update(folder_weight={"mask": 0}), "'data.folder_weight.mask' is 0"),
        (lambda c: c.update(model=None), "'model' must hold keys"),
    ],
)
def test_bad_settings_name_the_key_and_the_value(tmp_path, change, message):
    with pytest.raises(TrainingError, match=message.replace("[", r"\[")):
        load_config(settings_file(tmp_path, change))


@pytest.mark.parametrize("name", ["teacher_128", "teacher_160", "two_views", "shipped"])
def test_the_recipes_of_the_shipped_model_run_to_their_end(name):
    train = load_config(DEFAULT_FILE.with_name(f"{name}.yaml")).train
    assert train.patience == train.epochs, "whatever classifier.yaml has for others"


def test_settings_in_effect_are_read_back_equal(tmp_path):
    config = load_config(data__root="elsewhere")
    config.save(tmp_path / "config.yaml")
    assert load_config(tmp_path / "config.yaml") == config
    assert config.data.root == "elsewhere"


def test_a_section_that_is_missing_is_named_where_the_command_line_has_a_value_for_it_too(tmp_path):
    (tmp_path / "short.yaml").write_text("name: mine\n")
    with pytest.raises(TrainingError, match="setting '[a-z]*' is missing"):
        load_config(tmp_path / "short.yaml", data__root="elsewhere")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: \xe9", "cannot read the settings"),
        (b"base: a.yaml", "leads to"),
        (b"base: 3", "No such file"),
    ],
)
def test_a_settings_file_that_leads_nowhere_is_told(tmp_path, content, message):
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(TrainingError, match=message):
        load_config(tmp_path / "a.yaml")


def test_a_settings_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(TrainingError, match="nowhere.yaml"):
        load_config(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (annotation(2, (5, 5, 0, 20)), "box thinner than a pixel"),
        (annotation(2, (5, 5, 9, 20)), "face smaller than 10 pixels"),
        (annotation(2, (5, 5, 20, 20), category=len(CLASSES) + 1), "class 'helmet' is none of"),
        (annotation(2, (5, 5, 20, 20), category=77), "class 'None' is none of"),
        (annotation(2, (5, 5, 20, 20), image=9), "box of a picture that is not listed"),
    ],
)
def test_an_unusable_box_is_refused_with_its_reason(tmp_path, bad, reason):
    refused = Refused()
    path = coco_file(tmp_path, annotation(1, (10, 10, 20, 25)), bad)
    faces = read_scenes(path, CLASSES, refused, smallest=10)
    assert [face.name for face in faces] == ["scenes:1"]
    assert reason in refused.report()
    assert "scenes:2" in refused.report()


def test_corrections_change_and_drop_labels(tmp_path):
    listed = tmp_path / "corrections.yaml"
    listed.write_text(f"scenes.json: {{{CLASSES[2]}: [1], drop: [2]}}")
    path = coco_file(tmp_path, annotation(1, (10, 10, 20, 25)), annotation(2, (10, 10, 20, 25)))
    refused = Refused()
    faces = read_scenes(path, CLASSES, refused, 1, read_corrections(listed, path.name))
    assert [face.label for face in faces] == [2]
    assert "dropped by the corrections" in refused.report()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("scenes.json: {masc: [1]}", "'masc' of scenes.json is none of"),
        ("scenes.json: [1]", "is no list of corrections"),
        ("scenes.json: {drop: 1}", "is no list of corrections"),
        ("scenes.json: {", "is no list of corrections"),
    ],
)
def test_corrections_that_cannot_be_followed_are_told(tmp_path, content, message):
    listed = tmp_path / "corrections.yaml"
    listed.write_text(content)
    with pytest.raises(TrainingError, match=message):
        read_corrections(listed, "scenes.json")


def test_corrections_of_faces_that_are_not_there_are_told(tmp_path):
    path = coco_file(tmp_path, annotation(1, (10, 10, 30, 30)), annotation(2, (10, 10, 30, 30)))
    (tmp_path / "mended.yaml").write_text("scenes: {no_mask: ['2', 99]}")  # as mistakes_val.csv names them
    refused, mended = Refused(), read_corrections(tmp_path / "mended.yaml", path.name)
    faces = read_scenes(path, CLASSES, refused, corrections=mended)
    assert [CLASSES[face.label] for face in faces] == ["mask", "no_mask"]
    assert refused.by_reason == {"correction of a face that is not there": ["scenes:99"]}


@pytest.mark.parametrize("content", ["", "others.json: {drop: [1]}", "scenes.json:", "scenes.json: {drop: }"])
def test_corrections_may_be_empty(tmp_path, content):
    listed = tmp_path / "corrections.yaml"
    listed.write_text(content)
    assert read_corrections(listed, "scenes.json") == {}


@pytest.mark.parametrize("content", ["not json", "{}", "[1]"])
def test_a_file_that_is_no_coco_file_is_named(tmp_path, content):
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(TrainingError, match="broken.json is no COCO file"):
        read_scenes(path, CLASSES, Refused())


def test_folders_of_unknown_classes_are_an_error_and_empty_ones_are_reported(tmp_path):
    for name in CLASSES:
        (tmp_path / "good" / name).mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "good" / CLASSES[0] / "a.png"), np.zeros((40, 40, 3), np.uint8))
    for hidden in (f"{CLASSES[0]}/._a.png", ".thumbnails/a.png"):
        (tmp_path / "good" / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / "good" / hidden).write_bytes(b"no picture")
    (tmp_path / "good" / CLASSES[1] / "anna").mkdir()
    cv2.imwrite(str(tmp_path / "good" / CLASSES[1] / "anna" / "b.png"), np.zeros((40, 40, 3), np.uint8))
    refused = Refused()
    found = read_folders(tmp_path / "good", CLASSES, refused, {f"{CLASSES[1]}/anna/b.png": CLASSES[2]})
    assert sorted(face.label for face in found) == [0, 2]
    assert "refused 1: class folder without pictures" in refused.report()
    (tmp_path / "good" / "masc").mkdir()
    with pytest.raises(TrainingError, match="holds 'masc', which is no class"):
        read_folders(tmp_path / "good", CLASSES, Refused())
    with pytest.raises(TrainingError, match="no folder"):
        read_folders(tmp_path / "absent", CLASSES, Refused())


def test_a_class_without_faces_stops_the_run():
    require_every_class(list(range(len(CLASSES))), CLASSES, "the set")
    with pytest.raises(TrainingError, match=f"the set holds no usable face of class {CLASSES[1]}"):
        require_every_class([0, 2], CLASSES, "the set")


def test_pictures_that_cannot_be_read_are_refused_and_the_rest_is_cut(tmp_path):
    cv2.imwrite(str(tmp_path / "good.png"), np.full((60, 80, 3), 90, np.uint8))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    box = (10.0, 10.0, 30.0, 40.0)
    faces = [Face(tmp_path / name, box, 1, "me", name) for name in ("broken.jpg", "good.png", "gone.png")]
    refused = Refused()
    crops = cut_crops(faces, 32, 1.4, refused)
    assert crops.names.tolist() == ["good.png"]
    assert refused.by_reason["picture cannot be read"] == ["broken.jpg", "gone.png"]
    crops.save(tmp_path / "crops.npz")
    assert (load_cropset(tmp_path / "crops.npz").crops == crops.crops).all()


def test_more_crops_than_memory_holds_stop_before_the_first_is_cut(tmp_path):
    face = Face(tmp_path / "a.png", (10.0, 10.0, 30.0, 40.0), 1, "me", "a")
    with pytest.raises(TrainingError, match="1 crops of 1000000x1000000 pixels need 6000.0 GB of memory"):
        cut_crops([face], 1_000_000, 1.4, Refused())


@pytest.fixture
def judged_set(tmp_path):
    """Settings of which the validation set is one face in a picture, and where its COCO file is."""
    path = coco_file(tmp_path, annotation(1, (10, 10, 20, 25)))
    config = load_config(data__root=str(tmp_path), data__corrections="")
    listed = SetConfig(scenes=[path.name], folders=[])
    return replace(config, data=replace(config.data, val=listed)), path


def test_crops_are_cut_again_when_labels_or_pictures_change(judged_set, tmp_path):
    (config, path), run = judged_set, tmp_path / "run"
    assert prepared(config, run, "val").labels.tolist() == [0]
    written = (run / "crops_val.npz").stat().st_mtime_ns
    path.touch()
    assert prepared(config, run, "val").labels.tolist() == [0]
    assert (run / "crops_val.npz").stat().st_mtime_ns == written, "nothing has changed"
    path.write_text(path.read_text().replace('"category_id": 1', '"category_id": 3'))
    assert prepared(config, run, "val").labels.tolist() == [2]
    cv2.imwrite(str(path.parent / "scenes" / "a.png"), blots(1, (80, 60)))
    assert prepared(config, run, "val").crops.std() > 10


def test_a_stamp_that_a_full_disk_left_empty_has_the_crops_cut_again(judged_set, tmp_path):
    (config, _), run = judged_set, tmp_path / "run"
    prepared(config, run, "val")
    (run / "crops_val.json").write_text("")
    assert len(prepared(config, run, "val")) == 1
    assert json.loads((run / "crops_val.json").read_text())


def test_a_run_folder_goes_to_a_machine_without_the_data(judged_set, tmp_path_factory):
    config, run = judged_set[0], tmp_path_factory.mktemp("run")
    assert len(prepared(config, run, "val")) == 1
    shutil.rmtree(config.data.root)
    assert len(prepared(config, run, "val")) == 1
    with pytest.raises(TrainingError):
        prepared(replace(config, seed=config.seed + 1), run, "val")


def test_a_copy_of_the_data_is_the_same_data(judged_set, tmp_path):
    (_, path), copy = judged_set, tmp_path / "copy"
    shutil.copytree(path.parent / "scenes", copy / "scenes")
    shutil.copyfile(path, copy / path.name)
    assert of_scenes(copy / path.name) == of_scenes(path)
    pictures = [copy / "scenes" / "a.png"]
    before = of_pictures(pictures, copy)
    shutil.copyfile(pictures[0], copy / "scenes" / "b.png")
    assert of_pictures([*pictures, copy / "scenes" / "b.png"], copy) != before


def test_all_that_is_refused_is_listed(judged_set, tmp_path):
    config, path = judged_set
    content = json.loads(path.read_text())
    content["annotations"] += [annotation(number, (5, 5, 20, 20), image=9) for number in range(2, 9)]
    path.write_text(json.dumps(content))
    prepared(config, tmp_path / "run", "val")
    listed = (tmp_path / "run" / "refused_val.txt").read_text().splitlines()
    assert listed == [f"box of a picture that is not listed\tscenes:{number}" for number in range(2, 9)]


def test_a_set_called_like_the_drawn_ones_or_background_is_drawn_like_any_other():
    pytest.importorskip("keras", reason="training needs TensorFlow with Keras 3")
    from training.batches import draw_weights

    config = load_config()
    names = ["scenes:1", "drawn:1", "background:1", f"{DRAWN_NAME}worn:scenes:1", f"{BACKGROUND_NAME}part:1"]
    faces = [
        Face(Path(name), (0, 0, 9, 9), 3 * (number == 4), "me", name) for number, name in enumerate(names)
    ]
    weights = draw_weights(assemble(np.zeros((5, 8, 8, 3), np.uint8), faces), config)
    assert weights[0] == weights[1] == weights[2]
    assert weights[3] == pytest.approx(config.synthesis.weight * weights[0])
    assert weights[4] == pytest.approx(config.background.share)


def test_the_centre_of_a_training_crop_is_the_runtime_crop():
    config = load_config().crops
    random = np.random.default_rng(0)
    picture = cv2.GaussianBlur(random.integers(0, 256, (600, 800, 3), np.uint8), (0, 0), 4)
    box = [(300.0, 200.0, 100.0, config.size / config.margin)]
    outer = crop_faces(picture, box, config.outer_size, config.outer_margin)
    runtime = crop_faces(picture, box, config.size, config.margin)
    assert np.abs(centre(outer, config.size).astype(int) - runtime).mean() < 2


def test_augmentation_depends_on_its_generator_alone():
    config = load_config()
    outer = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
    crops = [
        augment(outer, outer[::-1], 128, config.augment, np.random.default_rng(seed)) for seed in (5, 5, 6)
    ]
    assert crops[0].shape == (128, 128, 3)
    assert crops[0].dtype == np.uint8
    assert (crops[0] == crops[1]).all()
    assert (crops[0] != crops[2]).any()


def test_augmentation_lets_little_light_in_and_the_noise_that_comes_with_it():
    outer, steady = np.full((192, 192, 3), 200, np.uint8), load_config().augment
    none = dict.fromkeys(("colour", "blur", "small", "jpeg", "noise", "occlusion", "neighbour"), 0.0)
    config = replace(steady, dark=1.0, scale=[1.0, 1.0], shift=0.0, rotation=0.0, **none)
    for seed in range(20):
        crop = augment(outer, outer, 128, config, np.random.default_rng(seed))
        assert 0.14 * 200 < crop.mean() < 0.71 * 200 and crop.std() > 0.5


def test_bad_conditions_change_the_picture_alone():
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8), (0, 0), 2)
    for name, change in CONDITIONS.items():
        worse = change(image, np.random.default_rng(0))
        assert worse.shape == image.shape and worse.dtype == np.uint8
        assert (worse == image).all() == (name == "as they are")
        assert (change(image, np.random.default_rng(0)) == worse).all()
    assert dark(image, np.random.default_rng(0)).mean() == pytest.approx(0.3 * image.mean(), rel=0.05)
