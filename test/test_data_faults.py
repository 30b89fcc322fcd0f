"""What goes wrong with sets of pictures is told, and harms nothing that is there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from labelled_sets import MASK, NO_MASK, a_set, blots, fail, run, save, stored
from media import full_disk

from mask_detector.classifiers import make_classifier
from mask_detector.face_detectors import make_face_detector
from mask_detector.model_store import load_manifest
from mask_detector.pipeline import MaskDetector
from training import synthesise
from training.cropset import cut_crops
from training.data import Refused, read_folders, read_scenes
from training.errors import TrainingError
from training.find import boxes_for_folders, detector_boxes
from training.formats.base import write_file
from training.scenes import scene_figures


def test_the_user_s_files_are_never_changed(tmp_path):
    source = a_set(tmp_path / "in", MASK, NO_MASK)
    before = {path: path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}
    run("import", "coco", source, "--out", tmp_path / "set.json")
    run("deduplicate", tmp_path / "set.json", "--out", tmp_path / "clean")
    run("export", "yolo", tmp_path / "set.json", "--out", tmp_path / "yolo")
    assert before == {path: path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}


def test_a_full_disk_leaves_the_old_file(tmp_path):
    (tmp_path / "set.json").write_text("old")
    with full_disk(1000), pytest.raises(TrainingError, match="cannot write .*set.json: File too large"):
        write_file(tmp_path / "set.json", b"new" * 1000)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_full_disk_leaves_no_half_export(tmp_path, capsys):
    mine = a_set(tmp_path, MASK)
    with full_disk(1000):
        told = fail(capsys, "export", "labelimg", mine, "--out", tmp_path / "hand")
    assert "cannot write" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "mine.json"]


@pytest.mark.parametrize("command", ["split", "deduplicate", "report", "export labelimg"])
def test_a_set_with_classes_of_others_is_to_be_imported_first(tmp_path, capsys, command):
    mine = a_set(tmp_path, MASK)
    mine.write_text(mine.read_text().replace(f'"{MASK}"', '"with_mask"'))
    out = [] if command == "report" else ["--out", tmp_path / "out"]
    told = fail(capsys, *command.split(), mine, *out)
    assert "mine.json has the classes with_mask, which are not ours: import it first" in told
    with pytest.raises(SystemExit):
        synthesise.main([str(mine), "--out", str(tmp_path / "drawn")])
    assert "import it first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("import", "voc", "{}/absent", "--out", "{}/x.json"), "absent does not exist"),
        (("import", "voc", "{}", "--out", "{}/x.json"), "holds no usable picture as voc"),
        (("import", "yolo", "{}", "--out", "{}/x.json"), "names no classes"),
        (("import", "folders", "{}", "--out", "{}/x.json"), "has no sub-folder with pictures"),
        (("import", "maskedface-net", "{}", "--out", "{}/x.json"), "no file such as 00000_Mask.jpg"),
        (("import", "coco", "{}/no.json", "--out", "{}/x.json"), "no.json is no COCO file"),
        (("import", "coco", "{}/no.json", "--out", "{}/no.json"), "no.json exists"),
        (("report", "{}/gone.json"), "cannot read"),
    ],
)
def test_errors_name_what_is_wrong(tmp_path, capsys, arguments, message):
    (tmp_path / "no.json").write_text('{"images": []}')
    assert message in fail(capsys, *(text.format(tmp_path) for text in arguments))


@pytest.mark.parametrize(
    "command", ["training.dataset report set.json", "training.synthesise set.json --out a"]
)
def test_ctrl_c_ends_with_one_line(tmp_path, command):
    os.mkfifo(tmp_path / "set.json")
    line = [sys.executable, "-m", *command.split()]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    with subprocess.Popen(line, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as process:
        with open(tmp_path / "set.json", "w"):  # opens when the command reads it
            process.send_signal(signal.SIGINT)
            assert process.wait() == 130
        assert process.stderr.read() == "stopped; what was finished is kept\n"


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path, capsys):
    save(tmp_path / "in" / "a.png", blots(1))
    (tmp_path / "in" / "a.txt").mkdir()
    (tmp_path / "in" / "classes.txt").write_text(MASK)
    told = fail(capsys, "import", "yolo", tmp_path / "in", "--out", tmp_path / "set.json")
    assert "a.txt: Is a directory" in told


ODD = os.fsdecode(b"caf\xe9")  # a name that is not UTF-8, as older systems and archives have them


def test_names_that_are_not_utf_8_go_all_the_way(tmp_path, astronaut, capsys):
    folder = tmp_path / ODD / NO_MASK
    folder.mkdir(parents=True)
    for number, picture in enumerate((astronaut, astronaut[:, ::-1])):
        made = save(tmp_path / "made.png", picture)
        made.replace(folder / f"{ODD}{number}.png")
    (folder / f"{ODD}.png").write_bytes(b"no picture")
    made = tmp_path / "set.json"
    run("import", "folders", tmp_path / ODD, "--out", made)
    assert r"/caf\udce9.png" in (tmp_path / "set_refused.txt").read_text()
    assert len(stored(made)) == 2
    run("deduplicate", made, "--out", tmp_path / "once")
    assert len(stored(tmp_path / "once" / "set.json")) == 1
    run("export", "labelimg", made, "--out", tmp_path / "hand")
    run("import", "labelimg", tmp_path / "hand", "--out", tmp_path / "back.json")
    assert len(stored(tmp_path / "back.json")) == 2
    refused, detector = Refused(), make_face_detector()
    faces = read_scenes(made, load_manifest().class_ids, refused)
    faces += boxes_for_folders(read_folders(tmp_path / ODD, [NO_MASK], refused), detector, refused)
    crops = cut_crops(faces + detector_boxes(faces, detector), 64, 1.5, refused)
    assert len(crops) == 8
    assert "\n".join([*crops.names, *crops.sources, refused.report()]).encode()
    detector = MaskDetector(detector, make_classifier())
    figures = scene_figures(detector, [picture.path for picture in stored(made)], faces[:2])
    assert figures["all"]["classes"][NO_MASK]["found"] == 2
