"""`vaultstorm run`."""

from pathlib import Path
from typing import Annotated

import typer

from vaultstorm.cli.output import JsonTo, claim, write


def run(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO",
            help="A name from the library (see `vaultstorm scenarios`), or a file.",
            show_default=False,
        ),
    ],
    variant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Run only this variant; repeatable. [default: all]"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where everything is written; new or empty. "
            "[default: vaultstorm-runs/NAME-YYYYmmdd-HHMMSS]",
        ),
    ] = None,
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
    json_to: JsonTo = None,
) -> int:
    """Run every variant of a scenario, and say what caused each loss and whether it executed.

    Each variant meets a fresh server. Exit code 0 only if every expectation holds; 1 otherwise.
    """
    from vaultstorm import runner, terminal
    from vaultstorm.scenario import load

    claim(json_to)
    options = runner.Options(variant or (), out, port, seed)
    outcome = runner.run(load(scenario), options)
    write(outcome.result, terminal.summary(outcome.result, outcome.report), json_to)
    return outcome.status
