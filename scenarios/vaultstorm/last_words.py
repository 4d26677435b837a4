"""The sentence that a command of ours ends with if it cannot do what it was asked for."""

from pathlib import Path
from typing import Final

PREFIXES: Final = ("vaultstorm: ", "Error: ")
"""How it begins: with the command's own name, or as typer begins what is wrong usage."""


def last_words(log: Path) -> str | None:
    """Give the last such sentence in a command's log; None if there is none."""
    written = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    for text in reversed(written):
        for prefix in PREFIXES:
            if text.startswith(prefix):
                return text.removeprefix(prefix)
    return None


def because(log: Path) -> str:
    """Say it as the end of a message; or where to look."""
    said = last_words(log)
    return f"; see {log}" if said is None else f": {said}"
