"""Scenes with drawn faces, and settings of a run on them that takes seconds."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mask_detector.model_store import load_manifest
from training.config import Config, load_config

CLASSES = load_manifest().class_ids
SMALL = (24, 29)  # pixels of a face that no model is judged by
COVERED_FROM = {0: 0.45, 1: 0.75, 2: 1.0}  # share of a drawn face above its mask, by class


def draw_face(picture: np.ndarray, box: tuple, label: int, random: np.random.Generator) -> None:
    x, y, w, h = box
    cv2.ellipse(picture, (x + w // 2, y + h // 2), (w // 2, h // 2), 0, 0, 360, (150, 170, 215), -1)
    for eye in (0.3, 0.7):
        cv2.circle(picture, (int(x + eye * w), int(y + 0.35 * h)), 3, (40, 30, 30), -1)
    top = int(y + COVERED_FROM[label] * h)
    cv2.rectangle(picture, (x, top), (x + w, y + h), random.integers(150, 256, 3).tolist(), -1)


def make_scenes(folder: Path, name: str, pictures: int, seed: int, size: tuple[int, int] = (60, 72)) -> None:
    """Write a COCO set with two drawn faces in each picture."""
    random = np.random.default_rng(seed)
    (folder / name).mkdir(parents=True)
    annotations = []
    for number in range(pictures):
        picture = random.integers(60, 120, (120, 220, 3), np.uint8)
        for place in range(2):
            box, label = (20 + 100 * place, 25, *size), int(random.integers(3))
            draw_face(picture, box, label, random)
            annotations.append({"image_id": number, "category_id": label, "bbox": list(box)})
        cv2.imwrite(str(folder / name / f"{number}.png"), picture)
    content = {
        "images": [{"id": n, "file_name": f"{name}/{n}.png"} for n in range(pictures)],
        "categories": [{"id": n, "name": label} for n, label in enumerate(CLASSES)],
        "annotations": [{"id": n, **annotation} for n, annotation in enumerate(annotations)],
    }
    (folder / f"{name}.json").write_text(json.dumps(content))


def tiny_run(folder: Path) -> Config:
    """Make scenes to train, validate and test on in `folder`; return the settings of a run on them."""
    for seed, name in enumerate(("scenes_train", "scenes_val")):
        make_scenes(folder, name, 8, seed)
    make_scenes(folder, "scenes_test", 4, 2, SMALL)
    shipped = load_config()
    return replace(
        shipped,
        name="tiny",
        data=replace(
            shipped.data, root=str(folder), train=replace(shipped.data.train, folders=[]), corrections=""
        ),
        synthesis=replace(shipped.synthesis, count=0),
        background=replace(shipped.background, count=40),
        crops=replace(shipped.crops, size=64),
        model=replace(shipped.model, weights=["none"]),
        train=replace(shipped.train, head_epochs=1, epochs=3, epoch_size=8, batch_size=4, keep=0.25),
    )
