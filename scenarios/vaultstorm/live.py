"""One line of live progress on a terminal; nothing in a pipe."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

INTERVAL: Final = 0.1
"""Seconds between two drawings."""

Show = Callable[[Callable[[], str]], None]
"""Takes what makes the line: it is called only when the line is drawn."""


@contextmanager
def live() -> Iterator[Show]:
    """Give what shows a line on standard error, in the caller's own thread."""
    if not sys.stderr.isatty():
        yield lambda line: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as display:
        due = 0.0

        def show(line: Callable[[], str]) -> None:
            nonlocal due
            now = time.monotonic()
            if now >= due:
                due = now + INTERVAL
                display.update(Text(line(), no_wrap=True, overflow="ellipsis"), refresh=True)

        yield show
