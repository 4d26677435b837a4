"""Durations and sizes on the command line."""

from typing import Any

import typer

from vaultstorm_wire import units


def duration(text: str | float) -> float:
    """Read a duration; a default is seconds already. Raises ValueError."""
    return text if isinstance(text, float) else units.duration(text)


def size(text: str | int) -> int:
    """Read a size; a default is bytes already. Raises ValueError."""
    return text if isinstance(text, int) else units.size(text)


def Duration(help: str, default: str | bool = False) -> Any:
    """Declare an option that takes a duration; `default` is how its default is shown."""
    return typer.Option(metavar="DURATION", parser=duration, help=help, show_default=default)


def Size(help: str, default: str | bool = False) -> Any:
    """Declare an option that takes a size; `default` is how its default is shown."""
    return typer.Option(metavar="SIZE", parser=size, help=help, show_default=default)
