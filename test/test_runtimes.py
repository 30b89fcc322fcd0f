"""Which file of a model runs is a matter of the processor and of what is installed."""

from pathlib import Path

import pytest

from mask_detector import runtimes
from mask_detector.classifiers import make_classifier
from mask_detector.runtimes import fastest, quick_at_bytes

ALL = ("keras", "litert", "litert_int8", "opencv")


@pytest.fixture
def processor(monkeypatch, tmp_path: Path):
    """Return a function that makes this machine another one."""

    def becomes(kind: str, flags: str, litert: bool = True) -> None:
        file = tmp_path / "cpuinfo"
        file.write_text(f"model name\t: something\nflags\t\t: fpu sse2 {flags}\n")
        monkeypatch.setattr(runtimes, "_CPU_INFO", file)
        monkeypatch.setattr(runtimes, "machine", lambda: kind)
        monkeypatch.setattr(runtimes, "find_spec", lambda name: litert or None)
        quick_at_bytes.cache_clear()

    yield becomes
    quick_at_bytes.cache_clear()


@pytest.mark.parametrize(
    ("kind", "flags", "expected"),
    [
        ("x86_64", "avx avx2 fma", "litert"),
        ("x86_64", "avx2 avx512f avx512_vnni", "litert_int8"),
        ("x86_64", "avx2 avx_vnni", "litert_int8"),
        ("aarch64", "asimddp", "litert_int8"),
    ],
)
def test_int8_runs_where_the_processor_is_quick_at_it(processor, kind, flags, expected):
    processor(kind, flags)
    assert fastest(ALL) == expected
    assert make_classifier().runtime == expected


def test_a_model_may_lack_a_file(processor):
    processor("x86_64", "avx_vnni")
    assert fastest(("keras", "litert", "opencv")) == "litert"
    processor("x86_64", "avx2")
    assert fastest(("litert_int8", "opencv")) == "litert_int8"
    assert fastest(("opencv",)) == "opencv"


def test_without_litert_it_is_opencv(processor):
    processor("x86_64", "avx_vnni", litert=False)
    assert fastest(ALL) == "opencv"


def test_a_machine_that_does_not_tell_its_flags_computes_in_float(processor, monkeypatch, tmp_path):
    processor("x86_64", "")
    monkeypatch.setattr(runtimes, "_CPU_INFO", tmp_path / "missing")
    assert fastest(ALL) == "litert"
