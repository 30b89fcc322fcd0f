"""Crops of faces as arrays, cut once and kept in an .npz, since cutting takes longer than an epoch.

The cutting is the core's (`mask_detector.crops`): what is trained is what runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mask_detector.background import BACKGROUND
from mask_detector.crops import crop_faces
from training.arrays import save_arrays
from training.data import Face, Refused, printable
from training.errors import TrainingError
from training.pictures import picture_or_none
from training.progress import shown

# How the names of crops begin that show no labelled face; a file's name holds no /, so no set is called so.
BACKGROUND_NAME, DRAWN_NAME = f"/{BACKGROUND}:", "/drawn:"


@dataclass(frozen=True)
class CropSet:
    """N crops, RGB uint8 of shape (N, size, size, 3), with what is known of each face."""

    crops: NDArray[np.uint8]
    labels: NDArray[np.int64]
    sides: NDArray[np.float32]
    sources: NDArray[np.str_]
    names: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: NDArray[np.bool_]) -> "CropSet":
        return CropSet(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def save(self, path: Path) -> None:
        save_arrays(path, {field.name: getattr(self, field.name) for field in fields(self)})


def load_cropset(path: Path) -> CropSet:
    with np.load(path) as arrays:
        return CropSet(*(arrays[field.name] for field in fields(CropSet)))


def cut_crops(faces: Sequence[Face], size: int, margin: float, refused: Refused) -> CropSet:
    """Cut every face out of its picture; a picture that cannot be read is refused."""
    require_memory(len(faces), size)
    kept: list[Face] = []
    crops = np.empty((len(faces), size, size, 3), np.uint8)
    for path, group in groupby(shown(faces, "cutting crops"), key=lambda face: face.picture):
        in_picture = list(group)
        picture = picture_or_none(path)
        if picture is None:
            refused.add("picture cannot be read", path.name)
            continue
        cut = crop_faces(picture, [face.box for face in in_picture], size, margin)
        crops[len(kept) : len(kept) + len(cut)] = cut
        kept += in_picture
    return assemble(crops[: len(kept)], kept)


def require_memory(count: int, size: int) -> None:
    """Stop before so many crops are cut that memory cannot hold them twice, as it does when sets are joined.

    The kernel would end the process without a word, after hours maybe.
    """
    needed, free = 2 * count * 3 * size**2 / 1e9, _free_memory() / 1e9
    if needed > free:
        raise TrainingError(
            f"{count} crops of {size}x{size} pixels need {needed:.1f} GB of memory, and {free:.1f} are free: "
            "list fewer pictures, or give a smaller crops.size"
        )


def _free_memory() -> float:
    """Return the bytes that programs may still take, swap too; inf where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return np.inf
    told = {
        name: 1024.0 * int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)
    }
    return told.get("MemAvailable", np.inf) + told.get("SwapFree", 0.0)


def joined(sets: Sequence[CropSet]) -> CropSet:
    return CropSet(
        *(np.concatenate([getattr(part, field.name) for part in sets]) for field in fields(CropSet))
    )


def assemble(crops: NDArray[np.uint8], faces: Sequence[Face]) -> CropSet:
    """Return crops (N, size, size, 3) with what their N faces say."""
    return CropSet(
        crops,
        np.array([face.label for face in faces], np.int64),
        np.array([min(face.box[2:]) for face in faces], np.float32),
        np.array([printable(face.source) for face in faces], np.str_),
        np.array([printable(face.name) for face in faces], np.str_),
    )
