"""The page of the documentation on speed: figures, targets and a plot of each row."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench import pages, plot
from bench.children import ROOT
from bench.result import Check, Measurement
from bench.table import cells, figure

PAGE: Final = ROOT / "docs" / "speed.md"
DRAWINGS: Final = ROOT / "docs" / "img"


def publish(
    result: Measurement, facts: Mapping[str, Any], page: Path = PAGE, drawings: Path = DRAWINGS
) -> None:
    """Put the figures of a measurement into the page, and its plot beside it.

    Args:
        result: the measurement.
        facts: what the machine says of itself.
        page: where its place is marked.
        drawings: folder for the plot.

    Raises:
        BenchError: the page has no place for it.
    """
    pages.put(page, result.name, markdown(result, facts, time.gmtime()))
    if result.growth is not None:
        drawing = plot.draw(f"speed-{result.name}", result.title, result.growth)
        (drawings / f"speed-{result.name}.svg").write_text(drawing, encoding="utf-8")


def markdown(result: Measurement, facts: Mapping[str, Any], day: time.struct_time) -> str:
    """Write the figures as the page has them."""
    heading, *rows = cells(result)
    if not any(row[-1] for row in rows):
        heading, *rows = (row[:-1] for row in (heading, *rows))
    parts = [result.title[0].upper() + result.title[1:] + ":", pages.table(heading, rows)]
    if result.checks:
        parts.append(
            pages.table(("target", "limit", "measured", ""), [_check(one) for one in result.checks])
        )
    if result.notes:
        parts.append("\n".join(f"- {note}" for note in result.notes))
    if result.growth is not None:
        shown = f"{result.growth.value} by {result.growth.size}"
        parts.append(f"![{shown}](img/speed-{result.name}.svg)")
    parts.append(
        f"{time.strftime('%Y-%m-%d', day)}, {facts['processor']}, {facts['cores']} cores, Linux "
        f"{facts['kernel']}, Python {facts['python']}; load average {facts['load_1min']} before."
    )
    return "\n\n".join(parts)


def _check(check: Check) -> tuple[str, ...]:
    word = "reached" if check.passed else "**missed**"
    relation = "at most" if check.at_most else "at least"
    return check.claim, f"{relation} {check.limit:,g}", figure(check.actual, 2), word
