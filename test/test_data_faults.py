"""What goes wrong with sets of pictures is told, and harms nothing that is there."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from labelled_sets import MASK, NO_MASK, a_set, fail, run

from training import synthesise
from training.errors import TrainingError
from training.formats.base import write_file


def test_the_user_s_files_are_never_changed(tmp_path):
    source = a_set(tmp_path / "in", MASK, NO_MASK)
    before = {path: path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}
    run("import", "coco", source, "--out", tmp_path / "set.json")
    run("deduplicate", tmp_path / "set.json", "--out", tmp_path / "clean")
    run("export", "yolo", tmp_path / "set.json", "--out", tmp_path / "yolo")
    assert before == {path: path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}


@contextmanager
def full_disk() -> Iterator[None]:
    """Let this process write no file beyond 1000 bytes; only for as long as pytest itself writes nothing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_old_file(tmp_path):
    (tmp_path / "set.json").write_text("old")
    with full_disk(), pytest.raises(TrainingError, match="cannot write .*set.json: File too large"):
        write_file(tmp_path / "set.json", b"new" * 1000)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_full_disk_leaves_no_half_export(tmp_path, capsys):
    mine = a_set(tmp_path, MASK)
    with full_disk():
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
