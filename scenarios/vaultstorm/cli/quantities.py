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


def Duration(help: str, default: str = "", group: str | None = None) -> Any:
    """Declare an option that takes a duration; `default` is how its default is shown."""
    return _option("DURATION", duration, help, default, group)


def Size(help: str, default: str = "", group: str | None = None) -> Any:
    """Declare an option that takes a size; `default` is how its default is shown."""
    return _option("SIZE", size, help, default, group)


def _option(
    metavar: str, parser: Callable[[Any], T], help: str, default: str, group: str | None
) -> Any:
    text = f"{help} [default: {default}]" if default else help
    return typer.Option(
        metavar=metavar, parser=parser, help=text, show_default=False, rich_help_panel=group
    )


def _read(unit: Callable[[str], T], text: str) -> T:
    try:
        return unit(text)
    except ValueError as error:  # of which Typer would show the text, and not what is wrong with it
        raise typer.BadParameter(str(error)) from error
