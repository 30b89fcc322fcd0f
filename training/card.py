"""The model card: what a classifier is for, what it was made of, how good it is, and what it cannot do."""

from collections.abc import Iterable
from typing import Any

from training.config import Config
from training.figures import Figures

SET_TITLES = {"val": "validation", "test": "test"}


def model_card(config: Config, entry: dict[str, Any]) -> str:
    """Return the card in Markdown for the manifest `entry` of a model."""
    sections = [
        f"# {config.name}",
        f"Tells a face's crop as one of the classes of `manifest.json`. {entry['architecture']}; input RGB "
        f"{entry['input_size']}×{entry['input_size']}, the square of {entry['crop_margin']} times the longer "
        "side of the face's box. Scores are calibrated probabilities.",
        "## Quality",
        f"Counted are {next(iter(entry['quality'].values()))['counted']}; more in "
        f"[the report](report/{config.name}/report.md). The validation faces chose the epoch and the "
        "temperature: only test faces are a proof.",
        _table(entry["quality"]),
        *limits_and_licence(entry, "What it cannot do", config.card.limits),
    ]
    return "\n\n".join(sections) + "\n"


def limits_and_licence(entry: dict[str, Any], title: str, limits: list[str]) -> list[str]:
    """Return how every card ends, in Markdown: what taught the model, its limits, its licence."""
    data = ["## Training data", bullets(entry["training_data"])]
    return [*data, f"## {title}", bullets(limits), "## Licence", entry["licence"]]


def _table(quality: dict[str, Figures]) -> str:
    lines = ["| set | class | faces | precision | recall | F1 |", "| --- | --- | --- | --- | --- | --- |"]
    for kind, figures in quality.items():
        title = SET_TITLES[kind]
        for name, row in figures["classes"].items():
            values = " | ".join(f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))
            lines.append(f"| {title} | {name} | {row['faces']} | {values} |")
        lines.append(f"| {title} | macro-F1 | {figures['faces']} | | | {figures['macro_f1']:.3f} |")
        lines.append(f"| {title} | accuracy | {figures['faces']} | | | {figures['accuracy']:.3f} |")
        lines.append(
            f"| {title} | calibration error | {figures['faces']} | | | {figures['calibration_error']:.3f} |"
        )
    return "\n".join(lines)


def bullets(lines: Iterable[str]) -> str:
    """Return a list in Markdown."""
    return "\n".join(f"- {line}" for line in lines)
