"""The pen: boxes, arrows and words of an SVG file that reads well in light and in dark."""

from html import escape
from typing import Final

_STYLE: Final = """
svg.drawing { color-scheme: light dark; --ink: #1f2a33; --soft: #5b6b78; --line: #8a99a5;
  --paper: #ffffff; --fill: #f1f4f6;
  --bad: #b3261e; --bad-fill: #fdeceb; --good: #1b6e3c; --good-fill: #e8f5ec;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 14px }
@media (prefers-color-scheme: dark) { svg.drawing { --ink: #e4e9ee; --soft: #a3b1bd;
  --line: #71808d; --paper: #1e2129; --fill: #2a2e38; --bad: #ff9a90; --bad-fill: #47262a;
  --good: #8ad6a3; --good-fill: #203a2c } }
.drawing text { fill: var(--ink) } .drawing .soft { fill: var(--soft) }
.drawing .small { font-size: 12px } .drawing .strong { font-weight: 600 }
.drawing .code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px }
.drawing .bad { fill: var(--bad) } .drawing .good { fill: var(--good) }
.drawing rect { fill: var(--fill); stroke: var(--line) }
.drawing rect.bad { fill: var(--bad-fill); stroke: var(--bad) }
.drawing rect.good { fill: var(--good-fill); stroke: var(--good) }
.drawing rect.empty { fill: none; stroke-dasharray: 4 3 }
.drawing path { fill: none; stroke: var(--line); stroke-width: 1.5 }
.drawing path.bad { stroke: var(--bad) } .drawing path.good { stroke: var(--good) }
.drawing path.dashed { stroke-dasharray: 4 3 }
.drawing .head { fill: var(--line); stroke: none } .drawing .head.bad { fill: var(--bad) }
.drawing .head.good { fill: var(--good) }
"""
_KINDS: Final = ("", "bad", "good")


class Drawing:
    """One file in the making.

    Args:
        name: of the file; part of what has to be unique where several drawings share a page.
        size: width and height of the paper.
        title: what it is, for those who do not see it.
        description: what it shows.
    """

    def __init__(self, name: str, size: tuple[int, int], title: str, description: str) -> None:
        self._name = name
        width, height = size
        self._parts = [
            f'<svg class="drawing" xmlns="http://www.w3.org/2000/svg" '
            f'viewBox="0 0 {width} {height}" role="img" '
            f'aria-labelledby="{name}-title {name}-desc">',
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-desc">{escape(description)}</desc>',
            f"<style>{_STYLE}</style>",
            "<defs>",
            *(self._head(kind) for kind in _KINDS),
            "</defs>",
        ]

    def _head(self, kind: str) -> str:
        return (
            f'<marker id="{self._name}-head{kind}" viewBox="0 0 10 10" refX="9" refY="5" '
            'markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
            f'<path class="head {kind}" d="M0 0L10 5L0 10z"/></marker>'
        )

    def box(
        self, x: float, y: float, width: float, height: float, *lines: str, kind: str = ""
    ) -> None:
        """Draw a box with lines of text in its middle; the first is strong."""
        self._parts.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            'rx="6"/>'
        )
        top = y + height / 2 - (len(lines) - 1) * 9 + 5
        for nth, line in enumerate(lines):
            style = "strong" if nth == 0 else "small soft"
            self.text(x + width / 2, top + nth * 18, line, style=style, anchor="middle")

    def text(
        self, x: float, y: float, text: str, *, style: str = "", anchor: str = "start"
    ) -> None:
        """Write one line."""
        self._parts.append(
            f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">'
            f"{escape(text, quote=False)}</text>"
        )

    def line(self, path: str, *, kind: str = "", head: bool = True, dashed: bool = False) -> None:
        """Draw a path, with an arrow's head at its end."""
        end = f' marker-end="url(#{self._name}-head{kind})"' if head else ""
        style = f"{kind} dashed" if dashed else kind
        self._parts.append(f'<path class="{style}" d="{path}"{end}/>')

    def __str__(self) -> str:
        """Give the file."""
        return "\n".join([*self._parts, "</svg>", ""])
