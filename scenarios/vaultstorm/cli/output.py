"""Results on stdout, or as JSON where `--json` says."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from vaultstorm_wire.errors import MachineError

JsonTo = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the result as JSON; - for stdout."),
]
"""The option that every command with a result has."""


def write(result: Any, text: str, json_to: str | None) -> None:
    """Show `text`, unless the JSON of `result` takes its place on stdout.

    Raises:
        MachineError: the file cannot be written.
    """
    if json_to != "-":
        typer.echo(text)
    if json_to is None:
        return
    line = json.dumps(result, ensure_ascii=False)
    if json_to == "-":
        typer.echo(line)
        return
    try:
        Path(json_to).write_text(f"{line}\n", encoding="utf-8")
    except OSError as error:
        raise MachineError(
            f"cannot write {json_to}: {error.strerror}; name another file with --json"
        ) from error
