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


def claim(json_to: str | None) -> None:
    """See to it that `write` will be able to write, before there is a result to lose.

    Raises:
        MachineError: it will not.
    """
    if json_to is None or json_to == "-":
        return
    try:
        Path(json_to).open("ab").close()
    except OSError as error:
        raise _unwritable(json_to, error) from error


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
        raise _unwritable(json_to, error) from error


def _unwritable(json_to: str, error: OSError) -> MachineError:
    return MachineError(f"cannot write {json_to}: {error.strerror}; name another file with --json")
