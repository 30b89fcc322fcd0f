"""State a model in a manifest.json: with its files or not at all, so it never names what is not there."""

import hashlib
import json
from pathlib import Path
from typing import Any

from mask_detector.model_store import load_manifest, share_folder
from training.backbones import NONE
from training.card import model_card
from training.config import Config
from training.errors import TrainingError
from training.figures import SMALLEST_JUDGED, Figures, rounded
from training.formats.base import write_file, write_files

LICENCE = "Apache-2.0; fine-tuned from the ImageNet weights of keras.applications"
UNTOLD = "not told by its maker: card.credits was empty"
OWN_LICENCE = "that of its makers; made from no other weights"
NAME = "manifest.json"


def describe(config: Config, temperature: float, quality: dict[str, Figures]) -> dict[str, Any]:
    """Return what the manifest says of a classifier besides its files."""
    return {
        "input_size": config.crops.size,
        "crop_margin": config.crops.margin,
        "architecture": f"{config.model.backbone}, width {config.model.width}",
        **_inherited(config),
        "temperature": round(temperature, 4),
        "quality": {kind: _short(figures) for kind, figures in quality.items()},
    }


def _inherited(config: Config) -> dict[str, Any]:
    """Return licence and training data: its own, and those of the models whose weights it starts from."""
    starts = [_stated(Path(file)) for file in config.model.weights if file != NONE]
    licences = [start.get("licence", LICENCE) for start in starts] or [OWN_LICENCE]
    credits = [*config.card.credits, *(line for start in starts for line in start.get("training_data", []))]
    return {
        "licence": "; ".join(dict.fromkeys(licences)),
        "training_data": list(dict.fromkeys(credits)) or [UNTOLD],
    }


def _stated(file: Path) -> dict[str, Any]:
    """Return what the manifest beside a model's file says of it, {} if there is none."""
    models = load_manifest(file.parent).entries["classifiers"] if (file.parent / NAME).is_file() else {}
    return next((entry for entry in models.values() if file.name in _paths(entry)), {})


def _paths(entry: dict[str, Any]) -> set[str]:
    return {file["path"] for file in entry["files"].values()}


def require_new_name(folder: Path, name: str, cure: str) -> None:
    """Stop before a model of another is replaced."""
    entries = load_manifest(folder).entries if (folder / NAME).is_file() else {}
    if any(name in entries.get(kind, {}) for kind in ("classifiers", "face_detectors")):
        raise TrainingError(f"{folder} holds a model '{name}' already: {cure}, or give --replace")


def publish(folder: Path, config: Config, files: dict[str, Path], entry: dict[str, Any]) -> None:
    """Copy the files into `folder` with a model card, and make the classifier its default one."""
    entry = enter(folder, config.name, files, entry)
    write_file(folder / f"{config.name}.md", model_card(config, entry).encode())


def enter(folder: Path, name: str, files: dict[str, Path], entry: dict[str, Any]) -> dict[str, Any]:
    """Copy a classifier's files into `folder`, state it there as the default one, and return the entry."""
    return state(folder, "classifiers", name, files, entry, default_classifier=name)


def state(
    folder: Path, kind: str, name: str, files: dict[str, Path], entry: dict[str, Any], **more: str
) -> dict[str, Any]:
    """Copy files into `folder`, state them in its manifest, or a new one, among `kind`; return the entry."""
    path = folder / NAME
    content = json.loads(path.read_text()) if path.is_file() else _empty()
    copies = {runtime: file.read_bytes() for runtime, file in files.items()}
    entry = {**entry, "files": {runtime: _stamp(files[runtime].name, copies[runtime]) for runtime in files}}
    content.setdefault(kind, {})[name] = entry
    content |= more
    stated = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
    write_files({folder / files[runtime].name: copies[runtime] for runtime in files} | {path: stated})
    return entry


def _empty() -> dict[str, Any]:
    """Return a manifest without a model, of the same classes as the shipped one."""
    shipped = json.loads((share_folder() / "models" / NAME).read_text())
    return {"classes": shipped["classes"], "default_classifier": "", "classifiers": {}}


def _stamp(name: str, content: bytes) -> dict[str, Any]:
    return {"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _short(figures: Figures) -> Figures:
    """Return the figures with four digits, and what faces they are of."""
    return {"counted": f"labelled boxes with a shorter side from {SMALLEST_JUDGED} px", **rounded(figures)}
