"""Charts as SVG that takes its colours from the page around it, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 68, 12, 24, 36
_INNER = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)


def bars(heights: Sequence[tuple[str, int]], about: str) -> str:
    """A bar for each label, its height above it.

    Args:
        heights: labels and numbers of 0 or more.
        about: what is shown, for who can't see it.
    """
    most = max((height for _, height in heights), default=0) or 1
    step = _INNER[0] / max(len(heights), 1)
    parts = []
    for k, (label, height) in enumerate(heights):
        middle, tall = LEFT + (k + 0.5) * step, _INNER[1] * height / most
        top = TOP + _INNER[1] - tall
        parts.append(_bar(middle - 0.38 * step, top, 0.76 * step, tall))
        parts.append(_text(middle, top - 5, f"{height:,}", "middle"))
        parts.append(_text(middle, HEIGHT - BOTTOM + 18, label, "middle"))
    return _svg(parts, about)


def lines(
    curves: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    about: str,
    rules: Sequence[tuple[str, float]] = (),
    from_zero: bool = True,
) -> str:
    """Curves in one frame.

    Args:
        curves: a class of the page's style, x and y of each, finite.
        about: what is shown, for who can't see it.
        rules: horizontal lines, what each is and where.
        from_zero: the axis of y begins at 0.
    """
    xs = [x for _, values, _ in curves for x in values]
    ys = [y for _, _, values in curves for y in values] + [y for _, y in rules]
    frame = _Frame(min(xs), max(xs), 0.0 if from_zero else min(ys), max(ys))
    parts = [frame.axes()]
    for name, height in rules:
        across = frame.y(height)
        parts.append(f'<path class="rule" d="M{LEFT} {across:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(WIDTH - RIGHT, across - 4, name, "end"))
    for style, x, y in curves:
        points = " ".join(f"{frame.x(a):.1f},{frame.y(b):.1f}" for a, b in zip(x, y, strict=True))
        parts.append(f'<polyline class="curve {escape(style, quote=True)}" points="{points}"/>')
    return _svg(parts, about)


class _Frame:
    """From values to places in the picture."""

    def __init__(self, left: float, right: float, low: float, high: float) -> None:
        self.left, self.low = left, low
        self.right = right if right > left else left + 1
        self.high = high if high > low else low + 1

    def x(self, value: float) -> float:
        """The place across."""
        return LEFT + _INNER[0] * (value - self.left) / (self.right - self.left)

    def y(self, value: float) -> float:
        """The place down."""
        return TOP + _INNER[1] * (1 - (value - self.low) / (self.high - self.low))

    def axes(self) -> str:
        """The frame's lower and left side, with the values at their ends."""
        floor = HEIGHT - BOTTOM
        ends = (
            _text(LEFT, floor + 18, f"{self.left:.3g}", "start")
            + _text(WIDTH - RIGHT, floor + 18, f"{self.right:.3g}", "end")
            + _text(LEFT - 6, floor + 4, f"{self.low:.3g}", "end")
            + _text(LEFT - 6, TOP + 4, f"{self.high:.3g}", "end")
        )
        return f'<path class="axis" d="M{LEFT} {TOP}V{floor}H{WIDTH - RIGHT}"/>{ends}'


def _bar(left: float, top: float, wide: float, tall: float) -> str:
    return f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(parts: Sequence[str], about: str) -> str:
    name = escape(about, quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name}">{"".join(parts)}</svg>'
