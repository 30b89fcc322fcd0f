"""State a model in models/manifest.json: files first, so that the manifest never names a missing one."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from mask_detector.model_store import load_manifest
from training.card import model_card
from training.config import Config
from training.figures import SMALLEST_JUDGED, Figures, rounded

LICENCE = "Apache-2.0; fine-tuned from the ImageNet weights of keras.applications"


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


def publish(folder: Path, config: Config, files: dict[str, Path], entry: dict[str, Any]) -> None:
    """Copy the files into `folder` with a model card, and make the classifier its default one."""
    entry = {**entry, "files": {runtime: copied(file, folder) for runtime, file in files.items()}}
    (folder / f"{config.name}.md").write_text(model_card(config, entry))
    content = json.loads((folder / "manifest.json").read_text())
    content["classifiers"][config.name] = entry
    content["default_classifier"] = config.name
    write_manifest(folder, content)


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Replace manifest.json in one step."""
    path = folder / "manifest.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    partial.replace(path)
    load_manifest.cache_clear()


def copied(file: Path, folder: Path) -> dict[str, Any]:
    """Copy one file in one step and return its entry."""
    partial = folder / f".{file.name}.partial"
    shutil.copyfile(file, partial)
    partial.replace(folder / file.name)
    content = file.read_bytes()
    return {"path": file.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _short(figures: Figures) -> Figures:
    """Return the figures with four digits, and what faces they are of."""
    return {"counted": f"labelled boxes with a shorter side from {SMALLEST_JUDGED} px", **rounded(figures)}
