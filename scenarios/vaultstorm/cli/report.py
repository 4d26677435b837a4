"""`vaultstorm report`."""

from pathlib import Path
from typing import Annotated

import typer

from vaultstorm.cli import complete


def report(
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="What `vaultstorm run` has written.",
            show_default=False,
            autocompletion=complete.runs,
        ),
    ],
) -> int:
    """Write the report of a finished run again, and say where it is."""
    from vaultstorm.report import write

    typer.echo(write(directory))
    return 0
