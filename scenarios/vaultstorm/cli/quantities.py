"""Durations and sizes on the command line."""

from collections.abc import Callable
from typing import Any, TypeVar

import typer

from vaultstorm_wire import units

T = TypeVar("T", float, int)


def duration(text: str | float) -> float:
    """Read a duration; a default is seconds already. Raises typer.BadParameter."""
    return text if isinstance(text, float) else _read(units.duration, text)


def size(text: str | int) -> int:
    """Read a size; a default is bytes already. Raises typer.BadParameter."""
    return text if isinstance(text, int) else _read(units.size, text)


def Duration(help: str, default: str | bool = False) -> Any:
    """Declare an option that takes a duration; `default` is how its default is shown."""
    return typer.Option(metavar="DURATION", parser=duration, help=help, show_default=default)


def Size(help: str, default: str | bool = False) -> Any:
    """Declare an option that takes a size; `default` is how its default is shown."""
    return typer.Option(metavar="SIZE", parser=size, help=help, show_default=default)


def _read(unit: Callable[[str], T], text: str) -> T:
    try:
        return unit(text)
    except ValueError as error:  # of which Typer would show the text, and not what is wrong with it
        raise typer.BadParameter(str(error)) from error
