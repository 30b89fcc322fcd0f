"""Stacked bars as inline SVG: for a report that is one file and is printed, also without colour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from mask_detector.viewer.looks import looks

_WIDTH, _HEIGHT = 720, 220
_LEFT, _RIGHT, _BOTTOM, _TOP = 46, 20, 28, 8
_LINES = 4


@dataclass(frozen=True)
class Bars:
    """What a chart shows.

    Attributes:
        title: said to who cannot see it.
        begin, end, step: of the time axis, in seconds.
        values: by start and class.
        top: the value at the upper end.
        label: writes a value on the axis.
        times: (time, text) of the ticks.
    """

    title: str
    begin: float
    end: float
    step: int
    values: dict[int, dict[str, float]]
    top: float
    label: Callable[[float], str]
    times: Sequence[tuple[float, str]]


def patterns() -> str:
    """Return the definitions of the fills, to stand once in a page."""
    fills = ["", '<path d="M-2 2l4-4M0 8l8-8M6 10l4-4" stroke="#fff" stroke-width="1.6"/>',
             '<path d="M0 0h8M0 4h8M0 0v8M4 0v8" stroke="#fff" stroke-width="1"/>']  # fmt: skip
    found = "".join(
        f'<pattern id="fill-{look.id}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{look.colour}"/>{fill}</pattern>'
        for look, fill in zip(looks(), fills, strict=False)
    )
    return f'<svg width="0" height="0" aria-hidden="true"><defs>{found}</defs></svg>'


def stacked(bars: Bars) -> str:
    """Return a chart."""
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(bars.title)}">'
        f"{_grid(bars)}{''.join(_bar(bars, start) for start in sorted(bars.values))}{_ticks(bars)}</svg>"
    )


def _x(bars: Bars, at: float) -> float:
    share = (at - bars.begin) / max(bars.end - bars.begin, 1e-9)
    return _LEFT + min(max(share, 0.0), 1.0) * (_WIDTH - _LEFT - _RIGHT)


def _y(bars: Bars, value: float) -> float:
    return _TOP + (1 - value / bars.top) * (_HEIGHT - _TOP - _BOTTOM)


def _bar(bars: Bars, start: int) -> str:
    left, right = _x(bars, start), _x(bars, start + bars.step)
    width = max(0.5, (right - left) - min(1.5, 0.15 * (right - left)))
    parts, value = [], 0.0
    for look in looks():
        height = bars.values[start].get(look.id, 0.0)
        if height > 0:
            upper, lower = _y(bars, value + height), _y(bars, value)
            parts.append(
                f'<rect x="{left:.1f}" y="{upper:.1f}" width="{width:.1f}" height="{lower - upper:.1f}" '
                f'fill="url(#fill-{look.id})"/>'
            )
            value += height
    return "".join(parts)


def _grid(bars: Bars) -> str:
    lines = []
    for number in range(_LINES + 1):
        value = bars.top * number / _LINES
        y = _y(bars, value)
        lines.append(
            f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(bars.label(value))}</text>'
        )
    return "".join(lines)


def _ticks(bars: Bars) -> str:
    return "".join(
        f'<text x="{_x(bars, at):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(text)}</text>'
        for at, text in bars.times
    )
