"""Draw masks onto bare faces, for whoever has only those, and to help the rare class.

    python -m training.synthesise pictures/ --out data/drawn --sheet drawn.png
    python -m training.synthesise data/mine.json --out data/drawn --copies 3

An input is a COCO file, whose faces labelled as bare receive masks, or a picture or a folder of them,
where all faces may; either way the classifier must take them for bare too. The result is
`data/drawn.json` (COCO) with its pictures in `data/drawn/`: name it under `data.train` in the settings.
Each drawn picture keeps the source and person of the bare one, so that `training.dataset split` never
parts them.

Masks turn and tilt with the head, take the picture's light, softness and noise, and are worn properly,
below the nose, on the chin or hanging from one ear, all with the same cloths: the place of the mask is
what tells the classes apart, and not the drawing. The same seed gives the same masks.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from mask_detector.crops import Image, crop_faces
from mask_detector.errors import MaskDetectorError
from mask_detector.face_detectors import FACE_DETECTORS, make_face_detector
from training.bare import BareFace, BarePicture, BareSearch
from training.config import load_config
from training.data import Refused
from training.errors import TrainingError
from training.formats import coco
from training.formats.base import LabelledFace, Picture, require_new, write_file
from training.masks import WAYS, FaceFrame, draw_mask, face_frame
from training.options import told

__all__ = ["WAYS", "FaceFrame", "draw_mask", "face_frame", "main"]

_TILE, _COLUMNS, _TILES = 160, 8, 48  # of the sheet: pixels, tiles in a row, tiles in all
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 90]


class Synthesis:
    """Draws masks in turn through the ways of wearing, and keeps what goes onto the sheet."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.tiles: list[Image] = []
        self._folder = folder
        self._seed = seed
        self._ways = load_config().synthesis.ways
        self._pictures = 0
        self._faces = 0

    def draw(self, bare: BarePicture) -> Picture:
        """Draw a mask on each bare face of a picture, store it, and return it with its new classes."""
        random = np.random.default_rng((self._seed, self._pictures))
        drawn, faces = bare.image, list(bare.others)
        for face in bare.faces:
            drawn, label = self._mask(drawn, face, random)
            faces.append(LabelledFace(face.box, label))
        path = self._folder / f"{self._pictures:06d}.jpg"
        write_file(path, cv2.imencode(".jpg", drawn, _JPEG)[1].tobytes())
        self._pictures += 1
        for face in bare.faces[: _TILES - len(self.tiles)]:
            self.tiles.append(crop_faces(drawn, [face.box], _TILE, 1.5)[0])
        return replace(bare.picture, path=path, faces=tuple(faces))

    def _mask(self, image: Image, face: BareFace, random: np.random.Generator) -> tuple[Image, str]:
        way = list(self._ways)[self._faces % len(self._ways)]
        self._faces += 1
        return draw_mask(image, face.frame, way, random), self._ways[way]


def synthesise(
    bare: Iterable[BarePicture], out: Path, copies: int, seed: int, sheet: Path | None = None
) -> list[Picture]:
    """Draw `copies` pictures of each bare one into the folder `out`, and list them in `out`.json."""
    listed = out.with_name(f"{out.name}.json")
    require_new(listed)
    require_new(out)
    synthesis = Synthesis(out, seed)
    shown = tqdm(bare, desc="drawing", unit="picture", disable=None, leave=False)
    drawn = [synthesis.draw(picture) for picture in shown for _ in range(copies)]
    if not drawn:
        raise MaskDetectorError("no face to draw on: give pictures with bare faces, seen from the front")
    coco.write(listed, drawn)
    if sheet:
        write_file(sheet, cv2.imencode(sheet.suffix, _sheet(synthesis.tiles), _JPEG)[1].tobytes())
    return drawn


def _sheet(tiles: list[Image]) -> Image:
    """Return the tiles in rows, BGR."""
    columns = min(_COLUMNS, len(tiles))
    tiles = tiles + [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)


def _options() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("training.synthesise", description=__doc__, formatter_class=form)
    parser.add_argument("inputs", nargs="+", type=Path, help="COCO files, pictures or folders of them")
    parser.add_argument("--out", type=Path, required=True, help="folder of the drawn pictures, a new one")
    parser.add_argument("--copies", type=int, default=4, help="drawn for each picture (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--sheet", type=Path, help=".png or .jpg with the first drawn faces, to look at")
    parser.add_argument("--face-detector", default="auto", choices=FACE_DETECTORS)
    return parser


def main(argv: list[str] | None = None) -> None:
    parser = _options()
    options = parser.parse_args(argv)
    if options.copies < 1:
        parser.error(f"--copies is {options.copies}: draw at least 1")
    if options.sheet and options.sheet.suffix.lower() not in (".png", ".jpg"):
        parser.error(f"--sheet is '{options.sheet}': end it in .png or .jpg")
    refused = Refused()
    with told(parser):
        search = BareSearch(make_face_detector(options.face_detector), refused)
        bare = (picture for path in options.inputs for picture in search.pictures(path))
        try:
            drawn = synthesise(bare, options.out, options.copies, options.seed, options.sheet)
        except MaskDetectorError as error:
            raise TrainingError(f"{error}\n{refused.report()}") from error
    faces = [face.label for picture in drawn for face in picture.faces]
    counts = ", ".join(f"{faces.count(label)} {label}" for label in dict.fromkeys(faces))
    print(f"{len(drawn)} pictures with {counts} in {options.out}.json\n{refused.report()}")


if __name__ == "__main__":
    main()
