"""Vary training crops as cameras, weather, hands and other people's boxes would.

Pure numpy and OpenCV on uint8 RGB, so it costs the same under every Keras backend. All chance
comes from the generator given, so that a resumed run sees the crops it would have seen.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.config import AugmentConfig

Crop = NDArray[np.uint8]
Random = np.random.Generator
_FAR = (24, 130)  # pixels
BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT_101)


def augment(outer: Crop, other: Crop, size: int, config: AugmentConfig, random: Random) -> Crop:
    """Return a varied crop of shape (size, size, 3); without variation it would be `centre(outer, size)`.

    Args:
        outer: the crop, larger than `size`.
        other: somebody else's, who may come to stand beside.
        size: side of the crop in pixels.
        config: how far it is varied.
        random: where all chance comes from.
    """
    crop = _warp(outer, size, config, random)
    if random.random() < config.neighbour:
        crop = _put_beside(crop, _warp(other, size, config, random), random)
    steps = (
        (config.occlusion, _occlude),
        (config.colour, colour),
        (config.dark, darken),
        (config.small, _shrink),
        (config.blur, _blur),
        (config.noise, noise),
        (config.jpeg, jpeg),
    )
    for probability, step in steps:
        if random.random() < probability:
            crop = step(crop, random)
    return crop


def centre(outer: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return the runtime crops inside outer ones, shape (..., size, size, 3)."""
    start = (outer.shape[-2] - size) // 2
    return outer[..., start : start + size, start : start + size, :]


def _warp(outer: Crop, size: int, config: AugmentConfig, random: Random) -> Crop:
    """Flip, turn, scale and shift in one resampling."""
    scale = np.exp(random.uniform(*np.log(config.scale)))
    turn = random.normal(0, config.rotation)
    shift = random.normal(0, config.shift * size, 2)
    middle = (outer.shape[0] - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), turn, 1 / scale)
    matrix[:, 2] += shift - middle + (size - 1) / 2
    if random.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size - 1
    border = BORDERS[random.integers(len(BORDERS))]
    fill = tuple(int(value) for value in random.integers(0, 256, 3))
    return cv2.warpAffine(outer, matrix, (size, size), borderMode=border, borderValue=fill)


def _put_beside(crop: Crop, other: Crop, random: Random) -> Crop:
    """Let another face stand at the left, at the right or below, as in a crowd; the label stays."""
    size = crop.shape[0]
    visible = int(size * random.uniform(0.08, 0.28))
    beside, side = crop.copy(), random.integers(3)
    start = int(random.uniform(0.1, 0.4) * (size - visible))  # beyond its border, where its face begins
    if side == 0:
        beside[:, :visible] = other[:, size - start - visible : size - start]
    elif side == 1:
        beside[:, size - visible :] = other[:, start : start + visible]
    else:
        beside[size - visible :] = other[start : start + visible]
    return beside


def colour(crop: Crop, random: Random) -> Crop:
    """Brightness, contrast, gamma, a colour cast, and now and then less or no saturation."""
    gain = np.exp(random.normal(0, 0.2)) * np.exp(random.normal(0, 0.07, 3))
    gamma = np.exp(random.normal(0, 0.25))
    offset = random.normal(0, 12)
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * 255 * gain + offset
    table = np.clip(levels, 0, 255).astype(np.uint8)[None]
    toned = cv2.LUT(crop, table)
    if random.random() < 0.3:
        grey = cv2.cvtColor(cv2.cvtColor(toned, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        share = min(1, random.uniform(0.3, 1.3))  # some lose all colour, so that a grey face stays one
        toned = cv2.addWeighted(grey, share, toned, 1 - share, 0)
    if random.random() < 0.2:
        toned = _shift_hue(toned, random)
    return toned


def _shift_hue(crop: Crop, random: Random) -> Crop:
    hsv = cv2.cvtColor(crop, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + random.integers(-15, 16)) % 180
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def darken(crop: Crop, random: Random, pixels: int | None = None) -> Crop:
    """Let little light in, so that the sensor's own noise shows; the crop was `pixels` wide there."""
    light = np.exp(random.uniform(np.log(0.15), np.log(0.7)))
    taken = _scaled(crop, pixels or len(crop))
    grain = random.normal(0, random.uniform(1, 8), taken.shape).astype(np.float32)
    return _scaled(np.clip(light * taken + grain, 0, 255).astype(np.uint8), len(crop))


def far_away(crop: Crop, random: Random) -> Crop:
    """Show it as it would arrive from so far that it is a few dozen pixels wide, compressed most often."""
    pixels = int(np.exp(random.uniform(*np.log(_FAR))))
    taken = _scaled(crop, pixels)
    return _scaled(jpeg(taken, random) if random.random() < 0.8 else taken, len(crop))


def _scaled(crop: Crop, size: int) -> Crop:
    smaller = size < len(crop)
    return cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def _shrink(crop: Crop, random: Random) -> Crop:
    """Make the face small and large again, as a far one would arrive."""
    size = crop.shape[0]
    small = int(size * np.exp(random.uniform(np.log(0.18), np.log(0.7))))
    shrunk = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    if random.random() < 0.3:
        shrunk = jpeg(shrunk, random)
    return cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_LINEAR)


def _blur(crop: Crop, random: Random) -> Crop:
    """Out of focus, or moved along a line."""
    if random.random() < 0.5:
        return cv2.GaussianBlur(crop, (0, 0), random.uniform(0.5, 2.5))
    length = int(random.integers(3, 12))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), random.uniform(0, 180), 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(crop, -1, kernel / max(kernel.sum(), 1e-6))


def noise(crop: Crop, random: Random) -> Crop:
    grain = random.normal(0, random.uniform(3, 18), crop.shape).astype(np.float32)
    return np.clip(crop + grain, 0, 255).astype(np.uint8)


def jpeg(crop: Crop, random: Random) -> Crop:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(20, 80))]
    return cv2.imdecode(cv2.imencode(".jpg", crop, quality)[1], cv2.IMREAD_COLOR)


def _occlude(crop: Crop, random: Random) -> Crop:
    """Put something before the face: a bar, a patch, or a blob in the colour of skin or cloth."""
    size = crop.shape[0]
    covered = crop.copy()
    at = tuple(int(value) for value in random.uniform(0, size, 2))
    axes = tuple(int(value) for value in random.uniform(0.05, 0.2, 2) * size)
    colour = _surface(crop, random)
    if random.random() < 0.5:
        cv2.ellipse(covered, at, axes, random.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
    else:
        low, high = np.subtract(at, axes), np.add(at, axes)
        cv2.rectangle(covered, low.tolist(), high.tolist(), colour, -1)
    return covered


def _surface(crop: Crop, random: Random) -> tuple[int, ...]:
    """A colour: one of the picture itself (skin, hair, clothes) or any."""
    size = crop.shape[0]
    if random.random() < 0.6:
        y, x = random.integers(0, size, 2)
        return tuple(int(value) for value in crop[y, x])
    return tuple(int(value) for value in random.integers(0, 256, 3))
