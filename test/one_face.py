"""Four scenes with the one face that the project ships, labelled, for the training of face detectors."""

import json
from pathlib import Path

import cv2
import numpy as np

FACE_BOX = (178, 63, 90, 113)  # x, y, width, height in the astronaut's picture


def one_face_set(folder: Path, astronaut: np.ndarray) -> Path:
    """Write train.json and val.json, alike, in COCO's form, with their pictures; return the folder."""
    images, faces = [], []
    for number in range(4):
        picture = np.full((260, 300, 3), 60 * number, np.uint8)
        picture[:210, 40 + 10 * number : 250 + 10 * number] = astronaut[:210, 120:330]
        cv2.imwrite(str(folder / f"{number}.png"), picture)
        images.append({"id": number, "file_name": f"{number}.png"})
        box = [FACE_BOX[0] - 80 + 10 * number, *FACE_BOX[1:]]
        faces.append({"id": number, "image_id": number, "bbox": box, "category_id": 1})
    content = {"images": images, "annotations": faces, "categories": [{"id": 1, "name": "no_mask"}]}
    for name in ("train.json", "val.json"):
        (folder / name).write_text(json.dumps(content))
    return folder
