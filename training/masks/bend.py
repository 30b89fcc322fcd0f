"""Bend flat cloth over a head, and look at it from the camera."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.masks.cloth import HIGH, LOW, WIDE, Texture, to_texture
from training.masks.frame import FaceFrame, Points
from training.masks.ways import Surface

Floats = NDArray[np.float32]

_GRID = (84, 68)  # cells of the cloth, across and down
_FINE = 52.0  # pixels of one unit when the bent cloth is laid out


def bend(
    frame: FaceFrame, surface: Surface, size: tuple[int, int], finer: int, texture: Texture
) -> tuple[tuple[Floats, Floats], Floats, Floats]:
    """Bend the cloth over the head and look at it from the camera.

    Returns, for an image of `size` (width, height): the texture's x and y seen at each pixel, the
    normals (height, width, 2) in picture axes, and how far the cloth's surface covers the pixel.
    """
    a, y = np.meshgrid(np.linspace(-WIDE, WIDE, _GRID[0] + 1), np.linspace(HIGH, LOW, _GRID[1] + 1))
    points = surface(a, y)
    seen, nearness = frame.at(points), frame.nearness(points)
    ratio = min(1.0, _FINE / (frame.scale * finer))
    coarse = tuple(max(2, round(side * ratio)) for side in size)
    corners = (seen + 0.5) * np.array(coarse) / (np.array(size) / finer) - 0.5
    values = np.dstack([to_texture(np.dstack([a, y])), _normals(seen, nearness * frame.scale)])
    layout = _painted(corners, values, _front_cells(corners, nearness, texture), coarse)
    layout = cv2.resize(layout, size, interpolation=cv2.INTER_LINEAR)
    covered = np.clip((layout[..., 4] - 0.35) / 0.3, 0, 1)
    return (layout[..., 0], layout[..., 1]), layout[..., 2:4], covered


def _normals(seen: Points, nearness: Points) -> Points:
    """Return the part of each point's normal that lies in the picture, shape (rows, columns, 2)."""
    places = np.dstack([seen, nearness])
    normal = np.cross(np.gradient(places, axis=1), np.gradient(places, axis=0))
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-9)
    return (normal * np.sign(normal[..., 2:]))[..., :2]


def _front_cells(corners: Points, nearness: Points, texture: Texture) -> NDArray[np.int64]:
    """Return the cells with cloth or strap that face the camera as most do, the far ones first."""
    across, down = corners[:-1, 1:] - corners[:-1, :-1], corners[1:, :-1] - corners[:-1, :-1]
    turned = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    there = cv2.resize(np.maximum(texture.cloth, texture.strap), _GRID, interpolation=cv2.INTER_AREA)
    there = cv2.dilate(there, np.ones((5, 5))) > 0
    chosen = (there & (turned * turned[there].sum() > 0)).ravel().nonzero()[0]
    return chosen[nearness[:-1, :-1].ravel()[chosen].argsort()]


def _painted(corners: Points, values: Points, cells: NDArray[np.int64], size: tuple[int, int]) -> Floats:
    """Paint cells in their order; return (height, width, 5): values, and how well covered."""
    quads = np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2)
    quads = (quads.reshape(-1, 4, 2) * 16).round().astype(np.int32)
    middles = (values[:-1, :-1] + values[:-1, 1:] + values[1:, 1:] + values[1:, :-1]).reshape(-1, 4) / 4
    layout, covered = np.zeros((size[1], size[0], 4), np.float32), np.zeros(size[::-1], np.float32)
    for cell in cells:
        cv2.fillConvexPoly(layout, quads[cell], middles[cell].tolist(), cv2.LINE_8, 4)
        cv2.fillConvexPoly(covered, quads[cell], 1.0, cv2.LINE_8, 4)
    weight = cv2.GaussianBlur(covered, (0, 0), 1.5)
    smooth = cv2.GaussianBlur(layout, (0, 0), 1.5) / np.maximum(weight, 1e-3)[..., None]
    return np.dstack([smooth, weight])
