"""The figures that stand in the documentation: a table between two marks of a page."""

import re
from collections.abc import Sequence
from pathlib import Path

from bench.children import BenchError

_END = "<!-- end -->"


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown, its columns lined up."""
    cells = [list(heading), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(map(str.ljust, row, widths)) + " |"
        for row in [cells[0], ["-" * width for width in widths], *cells[1:]]
    ]
    return "\n".join(lines)


def put(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of a measurement.

    Raises:
        BenchError: the page is not there, or has no such marks.
    """
    begin = f"<!-- begin: bench {name} -->"
    try:
        before = page.read_text(encoding="utf-8")
    except OSError as error:
        raise BenchError(f"cannot read {page}: {error.strerror}") from error
    marked = re.compile(f"({re.escape(begin)}\n).*?({re.escape(_END)})", re.DOTALL)
    after, found = marked.subn(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", before)
    if not found:
        raise BenchError(f"{page} has no {begin} … {_END}: the table has no place in it")
    page.write_text(after, encoding="utf-8")
