"""The command line as a whole."""

import re

import pytest

from tests.support.command import vaultstorm
from vaultstorm.cli.app import COMMANDS, wanted


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    """Every command is listed with a sentence, and has help of its own."""
    listed = vaultstorm("--help").stdout
    assert re.search(rf"^  {command} +\w", listed, re.MULTILINE)
    own = vaultstorm(command, "-h")
    assert own.returncode == 0
    assert f"Usage: vaultstorm {command}" in own.stdout


def test_exit_codes_are_documented() -> None:
    """The help says what each exit code means."""
    text = " ".join(vaultstorm("--help").stdout.split())
    for code in ("0 fine", "1 a finding", "2 wrong usage", "3 the machine", "4 a bug"):
        assert code in text


@pytest.mark.parametrize(
    "arguments, names",
    [
        ([], COMMANDS),
        (["serve", "--help"], ("serve",)),
        (["--log-level", "debug", "serve"], COMMANDS),
        (["sevre"], COMMANDS),
    ],
    ids=["none", "one", "after-options", "unknown"],
)
def test_only_the_command_that_is_asked_for_is_made(
    arguments: list[str], names: tuple[str, ...]
) -> None:
    """Where it does not come first, or is none of ours, all are: help and advice name them."""
    assert tuple(wanted(arguments)) == names
