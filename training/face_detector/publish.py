"""State a face detector in models/manifest.json, with a card: what taught it, and where it fails."""

from pathlib import Path
from typing import Any

from training.card import bullets, limits_and_licence
from training.face_detector.settings import DetectorConfig
from training.formats.base import write_file
from training.manifest import state

Quality = dict[str, dict[str, float]]


def publish(folder: Path, config: DetectorConfig, files: dict[str, Path], quality: Quality) -> None:
    """Copy the files into `folder`, replace the manifest's entry and write the card."""
    entry = {
        "origin": config.card.origin,
        "licence": config.card.licence,
        "training_data": config.card.credits,
        "quality": {
            name: {key: round(value, 4) for key, value in part.items()} for name, part in quality.items()
        },
    }
    entry = state(folder, "face_detectors", config.name, files, entry)
    write_file(folder / f"{config.name}.md", card(config, entry).encode())


def card(config: DetectorConfig, entry: dict[str, Any]) -> str:
    """Return the model card in Markdown."""
    sections = [
        f"# {config.name}",
        "Finds faces, masked ones too: a box, five landmarks (eyes, nose, mouth corners; guessed under a "
        "mask) and a score. Input BGR of any size; the package scales pictures to 640 pixels. "
        f"{entry['origin']}.",
        "## Files",
        bullets(
            f"`{file['path']}`, {file['bytes']} bytes: {runtime}" for runtime, file in entry["files"].items()
        ),
        "OpenCV's own `FaceDetectorYN` reads the `.onnx` from 4.8 on; this package from 4.6 on.",
        "## Quality",
        "Recall on the validation scenes at the default score threshold, where it makes fewer finds that "
        "no label explains than YuNet does; `report_faces/report.md` has more.",
        _table(entry["quality"]),
        *limits_and_licence(entry, "Where it fails", config.card.limits),
    ]
    return "\n\n".join(sections) + "\n"


def _table(quality: Quality) -> str:
    names = [key.removeprefix("val_") for key in next(iter(quality.values())) if key != "val_recall"]
    lines = ["| runtime | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    for runtime, recalls in quality.items():
        lines.append(f"| {runtime} | " + " | ".join(f"{recalls[f'val_{name}']:.3f}" for name in names) + " |")
    return "\n".join(lines)
