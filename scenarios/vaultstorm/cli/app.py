"""The command `vaultstorm`: what all its commands share, and their names."""

import os
from collections.abc import Iterable, Sequence
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Final

import typer

from vaultstorm.cli import complete, examples, layout, logs
from vaultstorm_wire.version import __version__

COMMANDS: Final = ("serve", "burst", "run", "scenarios", "report", "probe", "ctl", "doctor")
"""Each is the function of this name, in the module of this name."""


class LogLevel(StrEnum):
    """The least important events that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _leave(status: int | None, **_: object) -> None:
    """Make the exit code of what a command returned."""
    raise typer.Exit(status or 0)


def wanted(arguments: Sequence[str]) -> Sequence[str]:
    """Give the commands that a command line is about: the one it begins with, or all."""
    return arguments[:1] if arguments and arguments[0] in COMMANDS else COMMANDS


def program(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """Make the program; a command that is left out is not imported, which shortens the start."""
    # Rich help costs a tenth of a second on each start; tracebacks are `__main__`'s business.
    app = typer.Typer(
        cls=layout.Group,
        epilog=examples.epilog(""),
        add_completion=False,  # its options would take the shell that runs, which may be none
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        result_callback=_leave,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(common)
    for name in commands:
        function = getattr(import_module(f"vaultstorm.cli.{name}"), name)
        app.command(
            name,
            cls=layout.Command,
            short_help=layout.short(function.__doc__),
            epilog=examples.epilog(name),
        )(function)
    if complete.VARIABLE in os.environ:
        from typer.completion import get_completion_inspect_parameters

        get_completion_inspect_parameters()  # for what it does besides: it makes the shells known
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vaultstorm {__version__}")
        raise typer.Exit


def common(
    log_level: Annotated[
        LogLevel,
        typer.Option(
            metavar="LEVEL",
            help="The least important events to log on stderr: debug, info, warning or error.",
        ),
    ] = LogLevel.INFO,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
    show_completion: Annotated[
        complete.Shell | None,
        typer.Option(
            metavar="SHELL",
            callback=complete.show,
            is_eager=True,
            help="Print the completion script of bash, zsh or fish.",
        ),
    ] = None,
    install_completion: Annotated[
        complete.Shell | None,
        typer.Option(
            metavar="SHELL",
            callback=complete.install,
            is_eager=True,
            help="Put that script where bash, zsh or fish reads it.",
        ),
    ] = None,
) -> None:
    """Reproduce, detect and prove fixed what is lost between connect() and the response."""
    logs.choose(log_level.value)
