"""The command line as a whole."""

import re
from importlib import import_module

import pytest

from tests.support.command import vaultstorm
from vaultstorm.cli.app import COMMANDS, wanted
from vaultstorm.cli.complete import VARIABLE


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
        ([], ()),
        (["--help"], ()),
        (["-h", "serve"], ()),
        (["--version"], ()),
        (["serve", "--help"], ("serve",)),
        (["--log-level", "debug", "serve"], tuple(COMMANDS)),
        (["sevre"], tuple(COMMANDS)),
    ],
    ids=["none", "help", "help-first", "version", "one", "after-options", "unknown"],
)
def test_only_the_command_that_is_asked_for_is_made(
    arguments: list[str], names: tuple[str, ...]
) -> None:
    """Where it does not come first, or is none of ours, all are; for the program's help, none."""
    assert tuple(wanted(arguments)) == names


def test_all_commands_are_made_for_a_shell_that_completes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands on its line is in the environment, not in the arguments."""
    monkeypatch.setenv(VARIABLE, "complete_bash")
    assert tuple(wanted([])) == tuple(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_listed_with_the_first_sentence_of_its_help(command: str) -> None:
    """The list is made without the command, and may not say something else."""
    function = getattr(import_module(f"vaultstorm.cli.{command}"), command)
    first = function.__doc__.partition("\n\n")[0]
    assert re.split(r"(?<=\.) ", " ".join(first.split()))[0] == COMMANDS[command]
