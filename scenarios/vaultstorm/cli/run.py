"""`vaultstorm run`."""

from pathlib import Path
from typing import Annotated

import typer

from vaultstorm.cli import complete
from vaultstorm.cli.output import JsonTo, claim, write

Variants = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Run only this variant; repeatable. [default: all]",
        autocompletion=complete.variants,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Where everything is written; new or empty. "
        "[default: vaultstorm-runs/NAME-YYYYmmdd-HHMMSS]",
    ),
]
CommandOfServer = Annotated[
    str | None,
    typer.Option(
        "--command",
        metavar="COMMAND",
        help="Start this foreign server in place of the scenario's; {address} is where it is to "
        "listen.",
    ),
]
CommandOfClient = Annotated[
    str | None,
    typer.Option(
        "--client",
        metavar="COMMAND",
        help="Run this client program in place of our own load; {url} and {ca} are the server's.",
    ),
]
AllowRemote = Annotated[
    bool,
    typer.Option("--allow-remote", help="Accept a target beyond loopback and private addresses."),
]


def run(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO",
            help="A name from the library (see `vaultstorm scenarios`), or a file.",
            show_default=False,
            autocompletion=complete.scenarios,
        ),
    ],
    variant: Variants = None,
    out: Out = None,
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="TCP port of the servers. [default: a free one]",
            show_default=False,
        ),
    ] = 0,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="SEED", min=0, max=(1 << 63) - 1, help="Seed of the load. [default: its file's]"
        ),
    ] = None,
    command: CommandOfServer = None,
    client: CommandOfClient = None,
    allow_remote: AllowRemote = False,
    json_to: JsonTo = None,
) -> int:
    """Run every variant of a scenario, and say what caused each loss and whether it executed.

    Each variant meets a fresh server: ours, or somebody else's where the scenario has a [target].
    With --client somebody else's client is told from our server's side, and is expected to end with
    0, to have nothing executed twice, and to give nothing up. Exit code 0 only if every expectation
    holds; 1 otherwise.
    """
    from vaultstorm import runner, terminal
    from vaultstorm.scenario import load

    claim(json_to)
    options = runner.Options(variant or (), out, port, seed, command, client, allow_remote)
    outcome = runner.run(load(scenario), options)
    write(outcome.result, terminal.summary(outcome.result, outcome.report), json_to)
    return outcome.status
