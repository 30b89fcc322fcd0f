"""How a class looks to people: words and colour as in the manifest, and a symbol for who sees no colour."""

from dataclasses import dataclass
from functools import cache

from mask_detector.model_store import load_manifest

_SYMBOLS = "✓!✕"  # in the order of the manifest: from properly worn to none
_OTHER = "•"


@dataclass(frozen=True)
class Look:
    """A class for people; `colour` as in CSS."""

    id: str
    title: str
    colour: str
    symbol: str


@cache
def looks() -> tuple[Look, ...]:
    """Return the looks of all classes, in the order of the manifest."""
    classes = load_manifest().classes
    symbols = _SYMBOLS + _OTHER * len(classes)
    return tuple(
        Look(info.id, info.title, "#{2:02x}{1:02x}{0:02x}".format(*info.colour), symbol)
        for info, symbol in zip(classes, symbols, strict=False)
    )
