"""The cloth of masks: kinds, colours, prints, pleats, seams and crumples, drawn flat.

A texture spans a from -WIDE to WIDE and y from HIGH to LOW in the axes of `ways`.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.masks.frame import Points
from training.masks.ways import Random, Wearing

DENSITY = 110  # texture pixels of one unit
WIDE, HIGH, LOW = 1.85, -0.4, 2.8
KINDS = {"surgical": 0.42, "cloth": 0.26, "plain": 0.12, "folded": 0.13, "cone": 0.07}  # and how usual
Floats = NDArray[np.float32]

_SURGICAL = (
    (222, 196, 140),
    (232, 215, 175),
    (240, 240, 238),
    (205, 218, 170),
    (60, 56, 54),
    (205, 185, 232),
)
_PLAIN = ((34, 32, 32), (46, 40, 38), (70, 66, 64), (150, 148, 146), (120, 60, 40), (50, 40, 130))
_PALE = ((240, 241, 242), (228, 232, 234), (44, 42, 42), (215, 225, 232))


@dataclass(frozen=True)
class Texture:
    """A mask laid flat: its colours (H, W, 3), 0 to 255, and where there is cloth and strap, 0 to 1."""

    colour: Floats
    cloth: Floats
    strap: Floats


def make_texture(wearing: Wearing, kind: str, random: Random) -> Texture:
    """Draw the cloth of a mask of one of KINDS."""
    a, y = _grid()
    cloth = _filled(wearing.outline)
    colour = np.empty((*a.shape, 3), np.float32)
    colour[:] = _colour(kind, random)
    if kind == "cloth" and random.random() < 0.6:
        colour = _printed(colour, a, y, random)
    colour *= _relief(wearing, kind, random)[..., None]
    colour = _edged(colour, cloth, kind, random)
    strap, tone = _straps(wearing, kind, random), _strap_colour(colour, cloth, kind, random)
    colour = np.where(cloth[..., None] > 0.5, colour, np.float32(tone))
    return Texture(np.clip(colour, 0, 255), cloth, strap)


def to_texture(points: Points) -> Points:
    """Return texture pixels (..., 2) of places (a, y)."""
    return (points + (WIDE, -HIGH)) * DENSITY


def _grid() -> tuple[Floats, Floats]:
    size = (round((LOW - HIGH) * DENSITY), round(2 * WIDE * DENSITY))
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return columns / DENSITY - np.float32(WIDE), rows / DENSITY + np.float32(HIGH)


def _filled(outline: Points) -> Floats:
    a, _ = _grid()
    cloth = np.zeros(a.shape, np.uint8)
    cv2.fillPoly(cloth, [(to_texture(outline) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cloth.astype(np.float32) / 255


def _colour(kind: str, random: Random) -> Floats:
    """Return a colour (BGR) that is usual for the kind."""
    palettes = {"surgical": _SURGICAL, "plain": _PLAIN, "folded": _PALE, "cone": _PALE[:2]}
    if kind in palettes:
        usual = palettes[kind]
        chance = np.array([4, 2, 2, 1, 1.2, 0.5, 1, 1][: len(usual)])
        base = np.float32(usual[random.choice(len(usual), p=chance / chance.sum())])
    else:
        hue, saturation, value = random.uniform(0, 180), random.uniform(0, 200), random.uniform(40, 235)
        base = cv2.cvtColor(np.uint8([[[hue, saturation, value]]]), cv2.COLOR_HSV2BGR)[0, 0]
    return np.clip(base + random.normal(0, 6, 3) + random.normal(0, 8), 18, 246).astype(np.float32)


def _printed(colour: Floats, a: Floats, y: Floats, random: Random) -> Floats:
    """Add stripes, checks, dots or blots in a second colour."""
    density, turn = random.uniform(5, 22), random.choice([0.0, np.pi / 2, np.pi / 4])
    u, v = a * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - a * np.sin(turn)
    blots = cv2.GaussianBlur(random.normal(size=a.shape).astype(np.float32), (0, 0), random.uniform(4, 12))
    fields = {
        "stripes": np.sin(u * density) - 0.2,
        "checks": np.sin(u * density) * np.sin(v * density),
        "dots": np.cos(u * density) + np.cos(v * density) - random.uniform(0.6, 1.2),
        "blots": blots / blots.std() - random.uniform(0.2, 0.9),
    }
    chosen = fields[random.choice(list(fields))]
    second = np.float32(_colour("cloth", random))
    share = np.clip(chosen * 4 + 0.5, 0, 1)[..., None]
    return (colour * (1 - share) + second * share).astype(np.float32)


def _relief(wearing: Wearing, kind: str, random: Random) -> Floats:
    """Return how bright the cloth is for its pleats, folds, crumples and weave, about 1."""
    a, y = _grid()
    top, bottom = wearing.outline[:, 1].min(), wearing.outline[:, 1].max()
    depth = (y - top) / (bottom - top)
    relief = np.ones_like(a)
    if kind == "surgical":
        relief += _pleats(depth + 0.03 * np.sin(a * 2 + random.uniform(0, 6)), random)
    if kind == "folded" or (kind in ("cloth", "plain") and random.random() < 0.7):
        seam = np.abs(a + 0.02 * np.sin(y * 3))
        relief += 0.05 * np.tanh(a * 6) * random.choice([-1, 1]) - 0.16 * np.exp(-((seam / 0.018) ** 2))
    if kind == "cone":
        relief -= 0.14 * np.exp(-(((depth - 0.55) / 0.015) ** 2)) * (random.random() < 0.4)
    soft = _waves(a.shape, 26, random) * 0.035 + _waves(a.shape, 9, random) * 0.018
    creases = _waves(a.shape, 5, random, stretch=9) * 0.11 + _waves(a.shape, 14, random, stretch=4) * 0.1
    weave = random.normal(0, 0.012, a.shape)
    return (relief + soft + creases * wearing.crumpled + weave).astype(np.float32)


def _pleats(depth: Floats, random: Random) -> Floats:
    """Three or so folds across: a shadow under each edge and light on it."""
    places = np.linspace(0.3, 0.72, random.integers(2, 5)) + random.normal(0, 0.02)
    strength = random.uniform(0.1, 0.24)
    relief = np.zeros_like(depth)
    for place in places:
        below = depth - place
        relief -= strength * np.exp(-np.clip(below, 0, 1) / 0.022) * (below > 0)
        relief += 0.35 * strength * np.exp(-((below + 0.02) ** 2) / 0.0003)
    return relief


def _waves(shape: tuple[int, ...], size: float, random: Random, stretch: float = 1.0) -> Floats:
    """Return smooth noise of deviation 1, `size` texture pixels fine and longer across by `stretch`."""
    step = max(1, round(size / 3))  # drawn coarse and enlarged, since wide blurs are slow
    coarse = [-(-side // step) for side in shape]
    field = random.normal(size=coarse).astype(np.float32)
    field = cv2.GaussianBlur(field, (0, 0), size * stretch / step, sigmaY=size / step)
    field = cv2.resize(field, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return field / max(float(field.std()), 1e-6)


def _edged(colour: Floats, cloth: Floats, kind: str, random: Random) -> Floats:
    """Bind the edge: a pale or dark rim, a seam within, and the wire over the nose."""
    inside = cv2.distanceTransform((cloth > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / DENSITY
    rim = random.uniform(0.03, 0.07)
    brightness = 1 - 0.22 * np.exp(-((inside / 0.014) ** 2)) * (inside > 0)
    brightness -= 0.13 * np.exp(-(((inside - rim) / 0.01) ** 2))
    if kind == "surgical" and random.random() < 0.5:
        white = np.float32([236, 236, 234])
        share = np.clip((rim - inside) / 0.01, 0, 1)[..., None] * random.uniform(0.4, 0.9)
        colour = colour * (1 - share) + white * share
    return (colour * brightness[..., None]).astype(np.float32)


def _strap_colour(colour: Floats, cloth: Floats, kind: str, random: Random) -> Floats:
    """Straps are white, or as the cloth where that is dark or the mask is cut from one piece."""
    cloths = colour[cloth > 0.5].mean(axis=0)
    if kind == "plain" or (cloths.mean() < 110 and random.random() < 0.8):
        return cloths
    return np.full(3, random.uniform(205, 240), np.float32)


def _straps(wearing: Wearing, kind: str, random: Random) -> Floats:
    """Draw the lines that hold the mask; those of a plain one are cut from the same cloth, and wide."""
    a, _ = _grid()
    strap = np.zeros(a.shape, np.uint8)
    width = random.uniform(0.09, 0.16) if kind == "plain" else random.uniform(0.025, 0.055)
    for line in wearing.straps:
        points = (to_texture(line) * 16).astype(np.int32)
        cv2.polylines(strap, [points], False, 255, max(1, round(width * DENSITY)), cv2.LINE_AA, 4)
    return strap.astype(np.float32) / 255
