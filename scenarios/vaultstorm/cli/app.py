"""The command `vaultstorm`: what all its commands share, and their names."""

import os
from collections.abc import Iterable, Sequence
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Final

import typer

from vaultstorm.cli import complete, examples, layout, logs
from vaultstorm_wire.version import __version__

COMMANDS: Final = {
    "serve": "Run the server until SIGTERM or SIGINT.",
    "burst": "Fire load, and say how every single attempt ended.",
    "run": (
        "Run every variant of a scenario, and say what caused each loss and whether it executed."
    ),
    "scenarios": "List the scenarios that ship, each with its variants.",
    "report": "Write the report of a finished run again, and say where it is.",
    "probe": "Make one connection, and say layer by layer what works and what a failure means.",
    "ctl": "Show or change a running server.",
    "doctor": "Say whether this machine is fit for a burst, and how to make it so.",
}
"""Each is the function of this name, in the module of this name, and begins with this sentence."""

_OF_THE_PROGRAM: Final = ("-h", "--help", "--version")
"""Where one of these comes first, no command is run whatever follows."""


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
    """Give the commands that a command line may run: the one it begins with, all, or none."""
    if complete.VARIABLE in os.environ:
        return tuple(COMMANDS)
    if not arguments or arguments[0] in _OF_THE_PROGRAM:
        return ()
    return arguments[:1] if arguments[0] in COMMANDS else tuple(COMMANDS)


def program(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """Make the program; a command that is left out is not imported, which shortens the start.

    With none of them, all are named: for the program's own help.
    """
    given = tuple(commands)
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
    for name in given or COMMANDS:
        app.command(
            name, cls=layout.Command, short_help=COMMANDS[name], epilog=examples.epilog(name)
        )(getattr(import_module(f"vaultstorm.cli.{name}"), name) if given else _named)
    if complete.VARIABLE in os.environ:
        from typer.completion import get_completion_inspect_parameters

        get_completion_inspect_parameters()  # for what it does besides: it makes the shells known
    return app


def _named() -> None:
    """Stand for a command that is only named."""


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
