"""How a mask is worn: its outline on the face, the surface it lies on, and where its straps go.

A mask is flat cloth with the axes (a, y): a along the cheek from the middle of the face, y down as in
`frame`, in eye distances. A way gives the outline in (a, y) and bends the cloth into the head's axes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.masks.frame import Points

Random = np.random.Generator
Surface = Callable[[Points, Points], Points]
EAR = np.array([[1.62, 0.08], [1.58, 0.62]])  # (a, y) where the upper and the lower strap reach the ear

_LEVELS = [-0.4, 0.0, 0.3, 0.6, 0.85, 1.05, 1.3, 1.6, 1.85, 2.05, 2.4, 3.0]
_FRONT = [0.1, 0.02, 0.02, 0.06, 0.1, 0.16, 0.12, 0.14, -0.02, -0.3, -0.6, -0.7]  # z of the face without nose
_HALF = [1.12, 1.12, 1.11, 1.09, 1.05, 1.0, 0.93, 0.8, 0.64, 0.54, 0.6, 0.8]  # half its width
_MIDDLE = 1.1  # y of the middle of a mask's cloth
_BACK = -0.8  # z of the axis that the cheeks bend around


@dataclass(frozen=True)
class Wearing:
    """One mask as it is worn: `outline` (N, 2) and `straps`, lines (M, 2) each, in the cloth's axes.

    `kinds` names the only kinds of cloth that may be worn so, any if empty.
    """

    outline: Points
    straps: tuple[Points, ...]
    surface: Surface
    crumpled: float
    kinds: tuple[str, ...] = ()


def worn(random: Random, cone: bool) -> Wearing:
    """Over nose and mouth."""
    top, half = random.uniform(0.24, 0.44), random.uniform(1.1, 1.45)
    sides = (top + random.uniform(0.15, 0.32), random.uniform(1.15, 1.4))
    bottom = random.uniform(1.78, 1.95)
    nose = random.uniform(0.32, 0.4)
    return _on_face(random, (top, bottom, half, *sides), nose, 0.5 if cone else random.uniform(0.05, 0.14))


def below_nose(random: Random, cone: bool) -> Wearing:
    """Over the mouth alone."""
    top, half = random.uniform(0.78, 0.96), random.uniform(1.05, 1.4)
    sides = (top + random.uniform(-0.14, 0.08), random.uniform(1.3, 1.5))
    bottom = random.uniform(1.85, 2.05)
    return _on_face(random, (top, bottom, half, *sides), 0.0, 0.4 if cone else random.uniform(0.04, 0.14))


def on_chin(random: Random, cone: bool) -> Wearing:
    """Under the mouth, crumpled around chin and neck."""
    top, half = random.uniform(1.3, 1.58), random.uniform(0.9, 1.2)
    sides = (top - random.uniform(0.1, 0.35), top + random.uniform(0.1, 0.3))
    bottom = top + random.uniform(0.5, 0.8)
    bulge = 0.3 if cone else random.uniform(0.02, 0.1)
    return _on_face(random, (top, bottom, half, *sides), 0.0, bulge, crumpled=random.uniform(0.4, 1.0))


def over_eyes(random: Random, cone: bool) -> Wearing:
    """Over the eyes, and at most the nose."""
    top, half = random.uniform(-0.38, -0.2), random.uniform(1.1, 1.4)
    sides = (top + random.uniform(0.02, 0.15), random.uniform(0.35, 0.55))
    bottom = random.uniform(0.45, 0.8)
    nose = random.uniform(0.2, 0.36)
    return _on_face(random, (top, bottom, half, *sides), nose, 0.3 if cone else random.uniform(0.02, 0.08))


def scarf(random: Random, cone: bool) -> Wearing:
    """No mask, but a scarf, a collar or a hood's hem around the neck, below the chin."""
    top, half, low = random.uniform(1.72, 2.15), random.uniform(1.2, 1.75), 2.75
    droop = random.uniform(-0.35, 0.1)  # of the ends against the middle: an open collar, a wound scarf
    right = [(0.4 * half, top + 0.3 * droop), (half, top + droop), (half, low)]
    outline = np.array([(0, top), *right, *[(-a, y) for a, y in reversed(right)]])
    return Wearing(
        _rounded(outline, 0.2), (), _around_neck(random), random.uniform(0.5, 1.0), ("cloth", "plain")
    )


def _around_neck(random: Random) -> Surface:
    """Return the surface of cloth that stands off a neck and widens to the shoulders."""
    width, spread = random.uniform(0.8, 1.2), random.uniform(0.2, 0.9)
    front = random.uniform(-0.25, 0.1)

    def surface(a: Points, y: Points) -> Points:
        half = width + spread * np.clip(y - 1.9, 0, None)
        angle = np.clip(a / half, -1.9, 1.9)
        return np.stack([half * np.sin(angle), y, _BACK + (front - _BACK) * np.cos(angle)], axis=-1)

    return surface


def from_ear(random: Random, cone: bool) -> Wearing:
    """Hanging down beside a cheek from one ear: the cloth's a runs down, its y outwards."""
    side, half, height = random.choice([-1, 1]), random.uniform(0.75, 1.1), random.uniform(0.55, 0.75)
    fan = random.uniform(0.35, 0.9, 4) * height
    outline = [
        (-half, -fan[0]),
        (0.1 * half, -height),
        (half, -fan[1]),
        (1.1 * half, fan[2]),
        (-half, fan[3]),
    ]
    hung, ear = _hanging(random, side, half, height)
    straps = [np.array([ear, (-half, _MIDDLE + end)]) for end in (-0.9 * fan[0], 0.9 * fan[3])]
    low, high = -0.8 * fan[1], 0.8 * fan[2]
    loop = [(half, low), (half + 0.4, 0.7 * low), (half + 0.6, 0.1), (half + 0.4, 0.8 * high), (half, high)]
    straps.append(np.array(loop) + (0, _MIDDLE))
    return Wearing(
        _rounded(np.array(outline) + (0, _MIDDLE), 0.16), tuple(straps), hung, random.uniform(0.5, 1.0)
    )


def _hanging(random: Random, side: int, half: float, height: float) -> tuple[Surface, Points]:
    """Return the surface of a mask that hangs from the ear of a side, and the ear on its cloth."""
    top, lean = random.uniform(0.5, 0.8), random.uniform(-0.25, 0.3)
    middle, width = random.uniform(0.75, 1.1), random.uniform(0.36, 0.68)
    folds, curl = random.uniform(0.5, 1.3), random.uniform(-0.3, 0.3)

    def hung(a: Points, y: Points) -> Points:
        down, across = a + half, (y - _MIDDLE) / height
        fold = 0.14 * np.sin(across * 3.0 * folds + down + curl) - 0.12 * across**2
        aside = middle + lean * down / 2 + width * across * (0.75 + 0.2 * down)
        return np.stack([side * aside, top + down + 0.12 * across, fold - 0.15], axis=-1)

    above = 0.2 - top  # the ear is at x 1.1, y 0.2
    across = (1.1 - middle - lean * above / 2) / (width * (0.75 + 0.2 * above))
    return hung, np.array([above - half, _MIDDLE + across * height])


WAYS: dict[str, Callable[[Random, bool], Wearing]] = {
    "worn": worn,
    "below_nose": below_nose,
    "on_chin": on_chin,
    "from_ear": from_ear,
    "over_eyes": over_eyes,
    "scarf": scarf,
}


def _on_face(
    random: Random, edges: tuple[float, ...], nose: float, bulge: float, crumpled: float = 0.0
) -> Wearing:
    """Return a mask on the face with edges top, bottom, half the width, and the sides' top and bottom."""
    top, bottom, half, side_top, side_bottom = edges
    tilt = random.normal(0, 0.03)
    right = [(0.3, top + 0.02), (0.62, 0.45 * top + 0.55 * side_top), (half, side_top)]
    right += [(half - 0.02, side_bottom), (0.66, 0.35 * side_bottom + 0.65 * bottom), (0.3, bottom - 0.02)]
    left = [(-a, y) for a, y in reversed(right)]
    outline = np.array([(0, top), *right, (0, bottom), *left])
    outline[:, 1] += tilt * outline[:, 0]
    ends = ([half - 0.03, side_top + 0.04], [half - 0.05, side_bottom - 0.04])
    straps = [
        np.array([end, ear]) * (side, 1) for side in (1, -1) for end, ear in zip(ends, EAR, strict=True)
    ]
    loose = random.uniform(0.0, 0.06)
    corners = random.uniform(0.1, 0.25)
    return Wearing(_rounded(outline, corners), tuple(straps), _wrapped(nose, bulge, loose), crumpled)


def _wrapped(nose: float, bulge: float, loose: float) -> Surface:
    """Return the surface of a face: cheeks as half an ellipse, with a nose and room to breathe."""

    def surface(a: Points, y: Points) -> Points:
        half = np.interp(y, _LEVELS, _HALF) + loose
        ridge = nose * np.interp(y, [-0.1, 0.2, 0.62, 1.1, 1.5], [0.1, 0.45, 1.0, 0.5, 0.0])
        front = np.interp(y, _LEVELS, _FRONT) + ridge * np.exp(-((a / 0.42) ** 2))
        front = front + bulge * np.exp(-((a / 0.75) ** 2) - ((y - 1.05) / 0.5) ** 2)
        angle = np.clip(a / half, -1.9, 1.9)
        return np.stack([half * np.sin(angle), y, _BACK + (front - _BACK) * np.cos(angle)], axis=-1)

    return surface


def _rounded(outline: Points, cut: float) -> Points:
    """Round the corners by cutting each off three times (Chaikin)."""
    for _ in range(3):
        following = np.roll(outline, -1, axis=0)
        pairs = ((1 - cut) * outline + cut * following, cut * outline + (1 - cut) * following)
        outline = np.stack(pairs, axis=1).reshape(-1, 2)
    return outline
