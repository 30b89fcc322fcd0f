"""Put a mask onto a face: light the bent cloth, and blend it into the picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mask_detector.crops import Image
from training.masks.bend import bend
from training.masks.cloth import KINDS, Texture, make_texture
from training.masks.frame import FaceFrame
from training.masks.light import Light, face_outline, noise, read_light, softness
from training.masks.ways import WAYS, Random, Surface, Wearing

Floats = NDArray[np.float32]

_FINE_UNIT = 64  # pixels of one unit at which small faces are drawn, to be brought down afterwards
_BLOWN = 215  # grey level from which white cloth is held back, so that its folds stay


def draw_mask(picture: Image, frame: FaceFrame, way: str, random: Random, kind: str = "") -> Image:
    """Return a copy of a BGR picture with a mask on a face.

    Args:
        picture: shape (height, width, 3).
        frame: where the face is.
        way: how the mask is worn, one of `ways.WAYS`.
        random: decides on everything else.
        kind: of mask, one of `cloth.KINDS`; as usual in the world if empty.
    """
    kind = kind or str(random.choice(list(KINDS), p=list(KINDS.values())))
    wearing = WAYS[way](random, kind == "cone")
    if wearing.kinds and kind not in wearing.kinds:
        kind = str(random.choice(wearing.kinds))
    left, top, right, bottom = _patch(picture, frame, wearing)
    patch, local = picture[top:bottom, left:right], frame.seen_from(left, top)
    light = read_light(picture, patch, local)
    texture = make_texture(wearing, kind, random)
    paint, cloth, strap = _painted(local, wearing.surface, texture, light, patch.shape[1::-1])
    drawn = picture.copy()
    drawn[top:bottom, left:right] = _composed(patch, paint, cloth, strap, light, frame.scale, random)
    return drawn


def _patch(picture: Image, frame: FaceFrame, wearing: Wearing) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the part of the picture that face and mask lie in."""
    cloth = np.vstack([wearing.outline, *wearing.straps])
    seen = np.vstack([frame.at(wearing.surface(*cloth.T)), face_outline(frame)])
    margin, size = 0.3 * frame.scale, np.array(picture.shape[1::-1])
    low = np.clip(np.floor(seen.min(axis=0) - margin), 0, size - 2).astype(int)
    high = np.clip(np.ceil(seen.max(axis=0) + margin), low + 2, size).astype(int)
    return (*low.tolist(), *high.tolist())


def _painted(
    frame: FaceFrame, surface: Surface, texture: Texture, light: Light, size: tuple[int, int]
) -> tuple[Floats, Floats, Floats]:
    """Return the mask's colours times its cover, (H, W, 3), and the cover of cloth and strap, (H, W)."""
    finer = max(1, round(_FINE_UNIT / frame.scale))
    lookup, normals, covered = bend(frame, surface, (size[0] * finer, size[1] * finer), finer, texture)
    colour, cloth, strap = (
        cv2.remap(part, *lookup, cv2.INTER_LINEAR) for part in (texture.colour, texture.cloth, texture.strap)
    )
    cloth, strap = cloth * covered, strap * covered
    paint = colour * (_shade(normals, light) * np.maximum(cloth, strap))[..., None]
    return tuple(cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (paint, cloth, strap))


def _composed(
    patch: Image, paint: Floats, cloth: Floats, strap: Floats, light: Light, scale: float, random: Random
) -> Image:
    """Lay the paint over the patch with a shadow around it, as soft and noisy as the patch is."""
    alpha = np.maximum(cloth, strap)
    seen = _seen(cloth, strap, light)
    paint, alpha = paint * seen[..., None], alpha * seen
    soft = softness(patch)
    if soft > 0.4:  # the drawing itself is this soft
        paint, alpha = (cv2.GaussianBlur(part, (0, 0), soft) for part in (paint, alpha))
    cover = alpha[..., None]
    paint = paint * light.field
    paint -= 0.6 * np.clip(paint - _BLOWN * cover, 0, None)
    paint += random.normal(0, noise(patch) + 1e-6, alpha.shape)[..., None] * cover
    shadow = _shadow(cloth, light, scale) * random.uniform(0.25, 0.5) * (1 - cloth)
    return np.clip(patch * (1 - shadow)[..., None] * (1 - cover) + paint, 0, 255).astype(np.uint8)


def _seen(cloth: Floats, strap: Floats, light: Light) -> Floats:
    """Return how much of the mask is seen at each pixel: straps pass below hair, which is unlike skin."""
    only_strap = np.clip(strap - cloth, 0, 1) / np.maximum(np.maximum(cloth, strap), 1e-3)
    return 1 - only_strap * (1 - np.clip(1.6 * light.skin, 0.1, 1))


def _shadow(cloth: Floats, light: Light, scale: float) -> Floats:
    """Return how far the mask's shadow covers each pixel, 0 to 1."""
    moved = 0.035 * scale * np.float32([-2 * light.direction[0], 2])
    fallen = cv2.warpAffine(cloth, np.column_stack([np.eye(2, dtype=np.float32), moved]), cloth.shape[::-1])
    return cv2.GaussianBlur(fallen, (0, 0), max(0.5, 0.07 * scale))


def _shade(normals: Floats, light: Light) -> Floats:
    """Return the brightness of cloth by the way it faces, 1 where it looks at the camera."""
    out = np.sqrt(np.clip(1 - (normals**2).sum(axis=2), 0, 1))
    facing = normals @ light.direction[:2].astype(np.float32) + out * np.float32(light.direction[2])
    return 0.42 + 0.58 * np.clip(facing, 0, 1) / np.float32(light.direction[2])
