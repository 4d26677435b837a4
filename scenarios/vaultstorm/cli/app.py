"""The command `vaultstorm`: what all its commands share, and their names."""

from enum import StrEnum
from typing import Annotated

import typer

from vaultstorm.cli import burst, ctl, doctor, logs, probe, report, run, scenarios, serve
from vaultstorm_wire.version import __version__


class LogLevel(StrEnum):
    """The least important events that are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _leave(status: int | None, **_: object) -> None:
    """Make the exit code of what a command returned."""
    raise typer.Exit(status or 0)


# Rich help costs a tenth of a second on each start; tracebacks are `__main__`'s business.
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    result_callback=_leave,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("serve")(serve.serve)
app.command("burst")(burst.burst)
app.command("probe")(probe.probe)
app.command("ctl")(ctl.ctl)
app.command("doctor")(doctor.doctor)
app.command("run")(run.run)
app.command("scenarios")(scenarios.scenarios)
app.command("report")(report.report)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vaultstorm {__version__}")
        raise typer.Exit


@app.callback()
def common(
    log_level: Annotated[
        LogLevel, typer.Option(help="The least important events to log on stderr.")
    ] = LogLevel.INFO,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Reproduce, detect and prove fixed what is lost between connect() and the response.

    Exit codes: 0 fine, 1 a finding, 2 wrong usage or configuration, 3 the machine will not do it,
    4 a bug in vaultstorm.
    """
    logs.choose(log_level.value)
