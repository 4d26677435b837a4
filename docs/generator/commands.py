"""The commands, as their own help tells of them."""

import typer
from typer.testing import CliRunner

from vaultstorm.cli.app import program

_WIDTH = 80

app = program()


def pages() -> str:
    """Give the help of every command."""
    names = list(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    parts = ["## vaultstorm", _help()]
    for name in names:
        parts += [f"## vaultstorm {name}", _help(name)]
    return "\n\n".join(parts)


def _help(*command: str) -> str:
    given = [*command, "--help"]
    shown = CliRunner().invoke(app, given, prog_name="vaultstorm", terminal_width=_WIDTH)
    assert shown.exit_code == 0, shown.output
    text = "\n".join(line.rstrip() for line in shown.output.splitlines())
    return f"```text\n{text.strip()}\n```"
