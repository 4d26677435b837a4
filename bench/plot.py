"""Draws how a figure grows with size: an SVG file that reads well in light and in dark."""

import itertools
import math
from html import escape
from typing import Final

from bench.result import Growth
from bench.table import figure

WIDTH: Final = 850
HEIGHT: Final = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 560, 40, 244
_COLOURS: Final = (
    ("#1565c0", "#7db8ff"),
    ("#b3261e", "#ff9a90"),
    ("#1b6e3c", "#8ad6a3"),
    ("#8a5a00", "#f0bf63"),
    ("#6a3fa0", "#c9a6f5"),
    ("#00707a", "#76d3dc"),
    ("#5b6b78", "#a3b1bd"),
)
"""Of each curve, on light and on dark paper; the eighth begins again."""
_LABEL: Final = 52
"""What the longest number below the axis takes."""
_INK: Final = (
    "--ink: #1f2a33; --soft: #5b6b78; --line: #8a99a5",
    "--ink: #e4e9ee; --soft: #a3b1bd; --line: #71808d",
)
_DASHES: Final = ("", "7 3", "2 3", "9 3 2 3")
_STYLE: Final = (
    "svg.plot { color-scheme: light dark; "
    'font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 13px }\n'
    ".plot text { fill: var(--ink) } .plot .soft { fill: var(--soft); font-size: 12px }\n"
    ".plot path { fill: none } .plot .grid { stroke: var(--line); stroke-width: .5 }\n"
    ".plot .curve { stroke-width: 2 }\n"
)


def draw(name: str, title: str, growth: Growth) -> str:
    """Give the file.

    The sizes stand on a logarithmic axis; the figures on one from 0, or on a logarithmic one if the
    largest is 20 times the smallest.

    Args:
        name: what makes its anchors unique on a page.
        title: what it is, for those who do not see it.
        growth: its curves; one without a point is left out.
    """
    curves = [(subject, growth.points(subject)) for subject in growth.curves]
    sizes = sorted({size for _, points in curves for size, _ in points})
    values = [value for _, points in curves for _, value in points]
    across, up = _Sizes(sizes), _Values(values)
    told = "; ".join(
        f"{subject}: " + ", ".join(f"{_short(value)} at {size:,}" for size, value in points)
        for subject, points in curves
    )
    parts = [
        f'<svg class="drawing plot" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-title {name}-desc">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-desc">{escape(f"{growth.value} by {growth.size}. {told}")}</desc>',
        f"<style>{_STYLE}{_colours()}</style>",
        _text(_LEFT, 20, growth.value),
        _text((_LEFT + _RIGHT) / 2, HEIGHT - 8, growth.size, anchor="middle"),
    ]
    for value in up.ticks:
        y = up.at(value)
        parts += [_grid(_LEFT, y, _RIGHT, y), _text(_LEFT - 8, y + 4, _short(value), "soft", "end")]
    before = -math.inf
    for size in sizes:
        x = across.at(size)
        lower = 14 if x - before < _LABEL else 0
        before = -math.inf if lower else x
        parts.append(_grid(x, _TOP, x, _BOTTOM))
        parts.append(_text(x, _BOTTOM + 20 + lower, f"{size:,}", "soft", "middle"))
    ends = _apart([up.at(points[-1][1]) for _, points in curves])
    for nth, ((subject, points), label) in enumerate(zip(curves, ends, strict=True)):
        parts += _curve(nth, [(across.at(size), up.at(value)) for size, value in points])
        parts.append(_text(_RIGHT + 24, label + 4, subject, f"ink{nth % len(_COLOURS)}"))
    return "\n".join([*parts, "</svg>", ""])


class _Sizes:
    """The axis across: logarithmic, since the sizes are a tenth and three times."""

    def __init__(self, sizes: list[int]) -> None:
        self._low = math.log10(min(sizes))
        self._span = math.log10(max(sizes)) - self._low or 1.0

    def at(self, size: int) -> float:
        """Give its place on the paper."""
        return _LEFT + 16 + (math.log10(size) - self._low) / self._span * (_RIGHT - _LEFT - 32)


class _Values:
    """The axis up, and where its ticks are."""

    def __init__(self, values: list[float]) -> None:
        high = max(values) or 1.0
        low = min((value for value in values if value > 0), default=high)
        self._logarithmic = high / low >= 20
        if self._logarithmic:
            first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
            self.ticks = [10.0**power for power in range(first, last + 1)]
        else:
            step = _step(high / 4)
            self.ticks = [step * nth for nth in range(math.ceil(high / step) + 1)]

    def at(self, value: float) -> float:
        """Give its place on the paper."""
        if self._logarithmic:
            low, high = math.log10(self.ticks[0]), math.log10(self.ticks[-1])
            share = (math.log10(max(value, self.ticks[0])) - low) / (high - low)
        else:
            share = value / self.ticks[-1]
        return _BOTTOM - share * (_BOTTOM - _TOP)


def _step(least: float) -> float:
    """Give the next of 1, 2, 2.5, 5 and 10 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= least * 0.999)


def _apart(places: list[float], least: float = 16.0) -> list[float]:
    """Move labels down until no two of them overlap, and up again those that leave the paper."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + least)
    lowest = float(_BOTTOM)
    for label in reversed(order):
        moved[label] = min(moved[label], lowest)
        lowest = moved[label] - least
    return moved


def _curve(nth: int, points: list[tuple[float, float]]) -> list[str]:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dash = _DASHES[nth % len(_DASHES)]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return [
        f'<path class="curve line{nth % len(_COLOURS)}" d="{path}"{dashed}/>',
        *(
            f'<circle class="dot{nth % len(_COLOURS)}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
            for x, y in points
        ),
    ]


def _colours() -> str:
    """Write the style of each curve: for light, for dark, and for what a reader chose on a page."""

    def chosen(which: int, where: str = "") -> str:
        colours = "; ".join(f"--c{nth}: {pair[which]}" for nth, pair in enumerate(_COLOURS))
        return f"{where}svg.plot {{ {_INK[which]}; {colours} }}\n"

    used = "".join(
        f".plot .line{nth} {{ stroke: var(--c{nth}) }} "
        f".plot .dot{nth}, .plot text.ink{nth} {{ fill: var(--c{nth}) }}\n"
        for nth in range(len(_COLOURS))
    )
    return (
        chosen(0)
        + f"@media (prefers-color-scheme: dark) {{ {chosen(1)}}}\n"
        + chosen(0, '[data-md-color-scheme="default"] ')
        + chosen(1, '[data-md-color-scheme="slate"] ')
        + used
    )


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="grid" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    return (
        f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(text, quote=False)}</text>"
    )


def _short(value: float) -> str:
    """Write three digits that matter."""
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    text = figure(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text
