"""Live progress of what takes long: a bar on a terminal, a line at the start elsewhere."""

import sys
from collections.abc import Iterable, Sized
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def shown(items: Iterable[Item], what: str, total: int | None = None) -> Iterable[Item]:
    """Return `items`, whose passing is shown; `total` is how many there are if they cannot tell."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    if sys.stderr.isatty():
        return tqdm(items, what, total, leave=False)
    if total:
        print(f"{what}: {total} ...", flush=True)
    return items
