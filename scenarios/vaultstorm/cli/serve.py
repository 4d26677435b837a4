"""`vaultstorm serve`."""

import gc
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from vaultstorm.cli import complete
from vaultstorm.cli.exports import exported
from vaultstorm_wire.errors import MachineError, UsageError

RPC_PORT: Final = 135
"""Of the endpoint mapper, where RPCSS listens."""

LISTEN: Final = "Where it listens"
DEFECTS: Final = "What it is, and which defects it has"
SETTINGS: Final = "Every other setting"
TLS: Final = "TLS"

_EXISTING = {"exists": True, "dir_okay": False, "readable": True}


class Overflow(StrEnum):
    """What a connection meets that finds no room."""

    RESET = "reset"
    REFUSE = "refuse"
    DROP = "drop"


def serve(
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", rich_help_panel=LISTEN, help="Address to listen on."),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            rich_help_panel=LISTEN,
            help="TCP port to listen on.",
        ),
    ] = 443,
    rpc_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            rich_help_panel=LISTEN,
            help="TCP port for DCOM activation; where it is not asked for and cannot be had, the "
            f"server goes on without RPC. [default: {RPC_PORT}]",
            show_default=False,
        ),
    ] = None,
    no_rpc: Annotated[
        bool, typer.Option("--no-rpc", rich_help_panel=LISTEN, help="Do not serve RPC.")
    ] = False,
    backlog: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            rich_help_panel=DEFECTS,
            help="Length of the accept queue (afd.Backlog). [default: 10]",
        ),
    ] = None,
    overflow: Annotated[
        Overflow | None,
        typer.Option(
            metavar="HOW",
            rich_help_panel=DEFECTS,
            help="What a connection meets that finds the queue full: reset (handshake, then RST), "
            "refuse (RST to the SYN) or drop (silence) (tcpip.Overflow). "
            "[default: by tcpip.SynAttackProtect, reset]",
        ),
    ] = None,
    accept_interval: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            rich_help_panel=DEFECTS,
            help="Time between two accepts of the application (afd.AcceptInterval). [default: 0]",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            rich_help_panel=DEFECTS,
            help="Worker processes (apppool.MaxProcesses). [default: 1]",
        ),
    ] = None,
    hotfixes: Annotated[
        list[str] | None,
        typer.Option(
            "--hotfix",
            metavar="NAME",
            rich_help_panel=DEFECTS,
            help="Install a hotfix, which replaces a defect by its repair: KB908739, KB960007, "
            "TECH39579, or all; repeatable. Without it the server has the defect.",
            autocompletion=complete.hotfixes,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=SETTINGS,
            help="Settings in TOML (see --help-settings).",
        ),
    ] = None,
    registry: Annotated[
        list[str] | None,
        typer.Option(
            "--reg",
            metavar="FILE.reg",
            help="Settings as regedit exports them (AFD, Tcpip, HTTP and AppID keys), or "
            "`kb960007`, what that article recommends; repeatable. Weaker than --config.",
            rich_help_panel=SETTINGS,
            autocompletion=complete.registry_exports,
        ),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SECTION.KEY=VALUE",
            help="Change one setting; repeatable, the last one of a key wins. Stronger than "
            "--config, weaker than an option that stands for the same key.",
            rich_help_panel=SETTINGS,
            autocompletion=complete.settings,
        ),
    ] = None,
    no_tls: Annotated[
        bool,
        typer.Option(
            "--no-tls",
            rich_help_panel=TLS,
            help="Plain HTTP on the same port (httpsys.TLS=0).",
        ),
    ] = False,
    cert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=TLS,
            help="Certificate chain in PEM, instead of a made one.",
            **_EXISTING,
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", rich_help_panel=TLS, help="Private key of --cert.", **_EXISTING
        ),
    ] = None,
    tls_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            file_okay=False,
            rich_help_panel=TLS,
            help="Where the certificate authority is made and kept. "
            "[default: ~/.local/share/vaultstorm/tls]",
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Where to write the journals."),
    ] = None,
    admin_port: Annotated[
        int,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            rich_help_panel=LISTEN,
            help="Port of the control plane, on 127.0.0.1 only.",
        ),
    ] = 8079,
    until_eof: Annotated[
        bool,
        typer.Option(
            "--until-eof",
            help="End with standard input too: a server that a program has started, with a pipe, "
            "ends when that program does, however it does.",
        ),
    ] = False,
    help_settings: Annotated[
        bool,
        typer.Option(
            "--help-settings",
            rich_help_panel=SETTINGS,
            help="List every setting there is, and leave.",
        ),
    ] = False,
) -> int:
    """Run the server until SIGTERM or SIGINT.

    Prints one line of JSON on stdout once it accepts: url, ca, pid, admin.
    """
    if help_settings:
        typer.echo(settings_table())
        return 0
    if (cert is None) != (key is None):
        raise UsageError(
            "--cert and --key go together: give both, or neither for a made certificate"
        )
    if no_tls and cert is not None:
        raise UsageError("--no-tls and --cert contradict each other: leave one out")
    if no_rpc and rpc_port is not None:
        raise UsageError("--no-rpc and --rpc-port contradict each other: leave one out")
    gc.disable()  # until the server is ready: what is imported here stays
    from vaultstorm_server import configuration
    from vaultstorm_server import hotfixes as known

    named = {
        "afd.Backlog": backlog,
        "tcpip.Overflow": overflow,
        "afd.AcceptInterval": accept_interval,
        "apppool.MaxProcesses": workers,
        "httpsys.TLS": 0 if no_tls else None,
    }
    overrides = [f"{path}={value}" for path, value in named.items() if value is not None]
    overrides += known.overrides(hotfixes or ())
    given, left_out = exported(registry or ())
    settings = configuration.load(config, [*(assignments or ()), *overrides], given)

    from vaultstorm.cli import logs

    logs.setup()

    import structlog

    from vaultstorm_server import front
    from vaultstorm_server.notices import notices

    for ignored in left_out:
        structlog.get_logger().warning("registry_ignored", entry=ignored)
    for notice in notices(settings, rpc=not no_rpc):
        structlog.get_logger().warning("setting_without_effect", notice=notice)
    return front.serve(
        front.ServeOptions(
            host=host,
            port=port,
            settings=settings,
            tls_dir=tls_dir or default_tls_dir(os.environ),
            cert=cert,
            key=key,
            journal=journal,
            admin_port=admin_port,
            rpc_port=None if no_rpc else RPC_PORT if rpc_port is None else rpc_port,
            rpc_asked=rpc_port is not None,
            until_eof=until_eof,
        )
    )


def default_tls_dir(environ: "os._Environ[str] | dict[str, str]") -> Path:
    """Where certificates are kept: the user's data directory (XDG Base Directory Specification).

    Raises:
        MachineError: the user has no home.
    """
    data = environ.get("XDG_DATA_HOME", "")
    if data.startswith("/"):  # the specification has relative ones ignored
        return Path(data) / "vaultstorm" / "tls"
    try:
        home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    except RuntimeError as error:
        raise MachineError("there is no home directory: name one with --tls-dir") from error
    return home / ".local" / "share" / "vaultstorm" / "tls"


def settings_table() -> str:
    """Every setting as a line: key, default, what is allowed, what it is."""
    from vaultstorm_server.configuration import describe

    rows = [("key", "default", "unit", "allowed", "")]
    rows += [
        (key.path, key.default or '""', key.unit, key.range or "any text", key.description)
        for key in describe()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]])
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)
