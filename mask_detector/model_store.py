"""The shipped models and the one manifest that describes them.

`models/manifest.json` states the classes and, for every model, its files with size and sha256.
Nothing is downloaded at run time: a file that is missing or altered is an error that says so.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from mask_detector.errors import ModelError

_LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class ClassInfo:
    """One class: its `id` in messages and files, words for people, and its colour as BGR."""

    id: str
    title: str
    colour: tuple[int, int, int]


@dataclass(frozen=True)
class ModelFile:
    """One artefact of a model, as the manifest states it."""

    path: Path
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ClassifierInfo:
    """What a runtime must know of a classifier.

    Its input is RGB of shape (n, input_size, input_size, 3), 0 to 255, cut with `crop_margin`
    (see `crops.crop_faces`); its output the probabilities of the classes in manifest order, and of
    background, last, where it has a `background_threshold`: from there on a find is no face.
    """

    name: str
    input_size: int
    crop_margin: float
    files: dict[str, ModelFile]
    background_threshold: float | None = None


@dataclass(frozen=True)
class Manifest:
    """The contents of `models/manifest.json`; see its fields there."""

    folder: Path
    classes: tuple[ClassInfo, ...]
    default_classifier: str
    entries: dict[str, Any]

    @property
    def class_ids(self) -> tuple[str, ...]:
        return tuple(info.id for info in self.classes)

    def classifier(self, name: str = "") -> ClassifierInfo:
        """Return the classifier called `name`, the default one if empty."""
        name = name or self.default_classifier
        entry = self._entry("classifiers", name, "input_size", "crop_margin")
        threshold = entry.get("background_threshold")
        return ClassifierInfo(name, entry["input_size"], entry["crop_margin"], self._files(entry), threshold)

    def face_detector_files(self, name: str) -> dict[str, ModelFile]:
        """Return the files of the shipped face detector called `name`, by runtime."""
        return self._files(self._entry("face_detectors", name))

    def _entry(self, kind: str, name: str, *fields: str) -> dict[str, Any]:
        """Return a model's entry, which has `files` and those fields."""
        known = self.entries.get(kind, {})
        if name not in known:
            raise ModelError(
                f"no model '{name}' among the {kind} of {self.folder}: choose one of {sorted(known)}"
            )
        missing = {"files", *fields} - set(known[name])
        if missing:
            raise ModelError(f"{self.folder / 'manifest.json'}: '{name}' lacks {', '.join(sorted(missing))}")
        return known[name]

    def _files(self, entry: dict[str, Any]) -> dict[str, ModelFile]:
        return {
            runtime: ModelFile(self.folder / file["path"], file["bytes"], file["sha256"])
            for runtime, file in entry["files"].items()
        }


@cache
def share_folder() -> Path:
    """Return the folder that holds models/, launch/ and config/.

    It is the repository when run from there and `share/mask_detector` of the prefix when
    installed, with or without ROS: both are found by walking up from this file.
    """
    for parent in Path(__file__).resolve().parents:
        for folder in (parent, parent / "share" / "mask_detector"):
            if (folder / "models" / "manifest.json").is_file():
                return folder
    raise ModelError(f"models/manifest.json not found above {__file__}: install the package again")


def load_manifest(folder: Path | None = None) -> Manifest:
    """Return the manifest in `folder`, by default the shipped one; it is read again once it has changed.

    Raises:
        ModelError: it is missing or not as it should be.
    """
    path = (folder or share_folder() / "models") / "manifest.json"
    try:
        now = path.stat()
        return _read_manifest(path, (now.st_ino, now.st_mtime_ns, now.st_size))
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: give a folder that holds a manifest.json") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged ({error!r}): restore it from the repository") from error


@lru_cache(maxsize=8)
def _read_manifest(path: Path, state: tuple[int, ...]) -> Manifest:
    content = json.loads(path.read_text())
    classes = tuple(ClassInfo(c["id"], c["title"], tuple(c["colour_bgr"])) for c in content["classes"])
    return Manifest(path.parent, classes, content["default_classifier"], content)


def find_classifier(name: str = "") -> ClassifierInfo:
    """Return the shipped classifier called `name`, the default one if empty, or one of your own by its path.

    A path is FOLDER/NAME for the classifier NAME of a folder with a manifest.json, as `training.export` and
    `training.adopt` write it, or FOLDER alone for the default one there.
    """
    path = Path(name).expanduser()
    if name in ("", path.name):
        return load_manifest().classifier(name)
    folder, name = (path, "") if (path / "manifest.json").is_file() else (path.parent, path.name)
    manifest, shipped = load_manifest(folder), load_manifest()
    if manifest.class_ids != shipped.class_ids:
        raise ModelError(f"{folder} has the classes {manifest.class_ids} instead of {shipped.class_ids}")
    return manifest.classifier(name)


def verified(file: ModelFile) -> Path:
    """Return the path of `file` after its size and sha256 were checked.

    Raises:
        ModelError: it is missing, a git-lfs pointer, or not the file that the manifest states.
    """
    content = existing(file.path).read_bytes()
    if content.startswith(_LFS_POINTER):
        raise ModelError(f"model file {file.path} is only a git-lfs pointer: run 'git lfs pull'")
    if len(content) != file.bytes:
        raise ModelError(
            f"model file {file.path} has {len(content)} bytes instead of {file.bytes}: {_RESTORE}"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise ModelError(f"model file {file.path} has sha256 {digest} instead of {file.sha256}: {_RESTORE}")
    return file.path


def existing(path: Path) -> Path:
    """Return `path` if it is a file; raise ModelError otherwise."""
    if not path.is_file():
        raise ModelError(f"model file {path} is missing: give its full path, or install the package again")
    return path


_RESTORE = "restore it from the repository, or state it in manifest.json if the change is yours"
