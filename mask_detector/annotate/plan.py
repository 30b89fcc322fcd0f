"""What is to be read, in which order, and where the annotated copies go; all known before a run starts."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mask_detector.errors import ImageError, MaskDetectorError
from mask_detector.frame_sources import is_picture, is_stream, is_webcam, pictures_in, without_password

_WRITABLE = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")  # in every OpenCV, in colour


@dataclass(frozen=True)
class Job:
    """One picture, video, webcam or stream.

    Attributes:
        spec: what `open_source` takes.
        source: what stands in its lines: `spec` without a stream's password.
        copy: where its annotated copy goes; None if none is wanted.
    """

    spec: str
    source: str
    copy: Path | None


def make_plan(inputs: Iterable[str], out: Path | None) -> list[Job]:
    """Return a job for every picture, video and live source among `inputs`, each once.

    Raises:
        MaskDetectorError: two inputs would get the same copy, or a copy would replace an input.
    """
    specs = _each_once(inputs)
    copies = {spec: out / name for spec, name in _copy_names(specs).items()} if out else {}
    jobs = [Job(spec, without_password(spec), copies.get(spec)) for spec in specs]
    _refuse_replaced_inputs(jobs)
    return jobs


def _each_once(inputs: Iterable[str]) -> list[str]:
    """Put its pictures in place of a folder; one that cannot be read stays, and fails in its turn."""
    specs: dict[str, str] = {}
    for given in inputs:
        for spec in _pictures_of(given):
            specs.setdefault(os.path.abspath(spec) if _is_file(spec) else spec, spec)
    return list(specs.values())


def _pictures_of(spec: str) -> list[str]:
    try:
        return pictures_in(spec) if os.path.isdir(spec) else [spec]
    except ImageError:
        return [spec]


def _is_file(spec: str) -> bool:
    return not is_stream(spec) and not is_webcam(spec)


def _copy_names(specs: list[str]) -> dict[str, Path]:
    """Name the copies like their inputs, those of one name with the folders that tell them apart."""
    alike: dict[Path, list[str]] = defaultdict(list)
    for spec in specs:
        alike[_short_name(spec)].append(spec)
    names = {}
    for name, group in alike.items():
        names.update(_long_names(group) if len(group) > 1 else {group[0]: name})
    _refuse_same_names(names)
    return names


def _short_name(spec: str) -> Path:
    if is_picture(spec):
        return Path(_picture_name(spec))
    stem = Path(spec).stem if _is_file(spec) else re.sub(r"\W+", "_", without_password(spec)).strip("_")
    return Path(f"{stem}.mp4")


def _long_names(specs: list[str]) -> dict[str, Path]:
    folders = {spec: os.path.dirname(os.path.abspath(spec)) for spec in specs if _is_file(spec)}
    above = os.path.commonpath(folders.values()) if folders else os.curdir
    return {spec: Path(os.path.relpath(folders.get(spec, above), above), _full_name(spec)) for spec in specs}


def _full_name(spec: str) -> str:
    """Name a copy so that x.avi and x.mp4 do not meet."""
    return _picture_name(spec) if is_picture(spec) else Path(spec).name.removesuffix(".mp4") + ".mp4"


def _picture_name(spec: str) -> str:
    name = Path(spec).name
    return name if name.lower().endswith(_WRITABLE) else f"{name}.png"


def _refuse_same_names(names: dict[str, Path]) -> None:
    taken: dict[Path, str] = {}
    for spec, name in names.items():
        other = taken.setdefault(name, spec)
        if other != spec:
            raise MaskDetectorError(
                f"'{without_password(other)}' and '{without_password(spec)}' would both become {name}: "
                "annotate one at a time"
            )


def _refuse_replaced_inputs(jobs: list[Job]) -> None:
    inputs = {os.path.realpath(job.spec) for job in jobs if _is_file(job.spec)}
    for job in jobs:
        if job.copy and os.path.realpath(job.copy) in inputs:
            raise MaskDetectorError(f"the copy {job.copy} would replace an input: give --out another folder")
