"""State a model in a manifest.json: files first, so that the manifest never names a missing one."""

import hashlib
import json
from pathlib import Path
from typing import Any

from mask_detector.model_store import load_manifest, share_folder
from training.card import model_card
from training.config import Config
from training.errors import TrainingError
from training.figures import SMALLEST_JUDGED, Figures, rounded
from training.formats.base import write_file

LICENCE = "Apache-2.0; fine-tuned from the ImageNet weights of keras.applications"
NAME = "manifest.json"


def describe(config: Config, temperature: float, quality: dict[str, Figures]) -> dict[str, Any]:
    """Return what the manifest says of a classifier besides its files."""
    return {
        "input_size": config.crops.size,
        "crop_margin": config.crops.margin,
        "architecture": f"{config.model.backbone}, width {config.model.width}",
        "licence": LICENCE,
        "training_data": config.card.credits,
        "temperature": round(temperature, 4),
        "quality": {kind: _short(figures) for kind, figures in quality.items()},
    }


def require_new_name(folder: Path, name: str, cure: str) -> None:
    """Stop before a classifier of another is replaced."""
    if (folder / NAME).is_file() and name in load_manifest(folder).entries["classifiers"]:
        raise TrainingError(f"{folder} holds a model '{name}' already: {cure}, or give --replace")


def publish(folder: Path, config: Config, files: dict[str, Path], entry: dict[str, Any]) -> None:
    """Copy the files into `folder` with a model card, and make the classifier its default one."""
    entry = enter(folder, config.name, files, entry)
    write_file(folder / f"{config.name}.md", model_card(config, entry).encode())


def enter(folder: Path, name: str, files: dict[str, Path], entry: dict[str, Any]) -> dict[str, Any]:
    """Copy the files into `folder`, state them in its manifest (or a new one), and return the entry."""
    entry = {**entry, "files": {runtime: copied(file, folder) for runtime, file in files.items()}}
    path = folder / NAME
    content = json.loads(path.read_text()) if path.is_file() else _empty()
    content["classifiers"][name] = entry
    content["default_classifier"] = name
    write_manifest(folder, content)
    return entry


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Replace manifest.json in one step."""
    write_file(folder / NAME, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def _empty() -> dict[str, Any]:
    """Return a manifest without a model, of the same classes as the shipped one."""
    shipped = json.loads((share_folder() / "models" / NAME).read_text())
    return {"classes": shipped["classes"], "default_classifier": "", "classifiers": {}}


def copied(file: Path, folder: Path) -> dict[str, Any]:
    """Copy one file in one step and return its entry."""
    content = file.read_bytes()
    write_file(folder / file.name, content)
    return {"path": file.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _short(figures: Figures) -> Figures:
    """Return the figures with four digits, and what faces they are of."""
    return {"counted": f"labelled boxes with a shorter side from {SMALLEST_JUDGED} px", **rounded(figures)}
