"""What a server has written, for a person who looks for why a test failed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LINES_MAX: Final = 200


def lines(log: Path) -> list[str]:
    """Give the last lines of a server's log: time, event, and what there is to say of it."""
    written = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    left_out = len(written) - LINES_MAX
    shown = [_line(text) for text in written[-LINES_MAX:]]
    return [f"({left_out} lines before these)", *shown] if left_out > 0 else shown


def httperr(journal: Path) -> list[str]:
    """Give the lines of a server's HTTPERR log, without the heading ones."""
    return [line for line in _httperr(journal) if not line.startswith("#")]


def _httperr(journal: Path) -> Iterator[str]:
    for path in sorted(journal.glob("httperr*.log")):
        yield from path.read_text("utf-8", "replace").splitlines()


def _line(text: str) -> str:
    try:
        record = json.loads(text)
    except ValueError:
        return text
    if not isinstance(record, dict) or "event" not in record:
        return text
    time = str(record.pop("timestamp", "")).partition("T")[2].rstrip("Z")
    level = record.pop("level", "")
    event = record.pop("event")
    trace = record.pop("exception", None)
    facts = [f"{name}={value}" for name, value in record.items() if value is not None]
    head = " ".join(filter(None, [time, f"{level:7}" if level else "", str(event), *facts]))
    return f"{head}\n{trace}" if trace else head
