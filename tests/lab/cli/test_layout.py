"""How help is laid out, at 80 columns."""

import re
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from tests.support.command import vaultstorm
from vaultstorm.cli.examples import EXAMPLES
from vaultstorm.cli.layout import EXIT_CODES, Command, Group

COMMANDS = [name for name in EXAMPLES if name]
LIKELY = "How it is likely"

app = typer.Typer(cls=Group, rich_markup_mode=None, epilog="$ lab one\n    it is done")


@app.command(cls=Command, short_help="Do one thing, and say so in a sentence that is not cut off.")
def one(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="To do.")],
    often: Annotated[
        int, typer.Option(metavar="N", min=1, max=9, help="So often.", rich_help_panel=LIKELY)
    ] = 1,
    least: Annotated[int, typer.Option(metavar="N", min=2, help="No less.")] = 3,
    gently: Annotated[bool, typer.Option(help="With care.", rich_help_panel=LIKELY)] = True,
) -> None:
    """Do one thing."""
    del what, often, least, gently


@app.command(cls=Command)
def other(
    seed: Annotated[int, typer.Option(metavar="SEED", min=0, max=(1 << 64) - 1, help="Drawn.")] = 1,
) -> None:
    """Do the other."""
    del seed


def shown(*arguments: str) -> str:
    """Give a help text of the small program above."""
    return CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "80"}).stdout


def test_options_stand_in_their_groups() -> None:
    """Arguments come first, then each group by its title, then what has none."""
    assert shown("one") == (
        "Usage: root one [OPTIONS] WHAT\n\n"
        "  Do one thing.\n\n"
        "Arguments:\n  WHAT  To do. [required]\n\n"
        "How it is likely:\n"
        "  --often N      So often. [default: 1; 1 to 9]\n"
        "  --[no-]gently  With care. [default: gently]\n\n"
        "Other options:\n"
        "  --least N  No less. [default: 3; at least 2]\n"
        "  --help     Show this message and exit.\n"
    )


def test_without_groups_options_are_called_options() -> None:
    """Nothing is other where there is nothing else; the range of a 64 bit seed helps nobody."""
    assert "\nOptions:\n  --seed SEED  Drawn. [default: 1]\n" in shown("other")


def test_the_program_shows_commands_exit_codes_and_examples() -> None:
    """Commands come before options; the examples are last, as they are written."""
    text = shown()
    assert text.index("\nCommands:\n") < text.index("\nOptions:\n") < text.index("\nExit codes:\n")
    assert "  one    Do one thing, and say so in a sentence that is not cut off.\n" in text
    assert text.endswith("\nExamples:\n  $ lab one\n      it is done\n")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Give the help of the program and of each of its commands at 80 columns."""
    return {
        name: vaultstorm(*([name] if name else []), "--help", COLUMNS="80").stdout
        for name in EXAMPLES
    }


def test_help_fits_80_columns(texts: dict[str, str]) -> None:
    """No line is longer, and no text begins below its option."""
    for name, text in texts.items():
        assert max(map(len, text.splitlines())) <= 80, name
        assert not re.search(r"^  -\S+(?: \S+)?$", text, re.MULTILINE), name


def test_every_command_is_listed_with_a_whole_sentence(texts: dict[str, str]) -> None:
    """Nothing is cut off."""
    _, _, listed = texts[""].partition("Commands:\n")
    listed = listed.partition("\n\n")[0]
    assert "..." not in listed
    for name in COMMANDS:
        assert re.search(rf"^  {name} +[A-Z][^.]+\.$", listed, re.MULTILINE), name


def test_every_help_ends_with_examples_that_fit(texts: dict[str, str]) -> None:
    """They are the table's, in its order."""
    for name, text in texts.items():
        _, _, tail = text.partition("\nExamples:\n")
        assert re.findall(r"^  \$ (.*)$", tail, re.MULTILINE) == [
            example.line for example in EXAMPLES[name]
        ]


def test_the_exit_codes_are_all_there(texts: dict[str, str]) -> None:
    """Each is on a line of its own."""
    assert [code for code, _ in EXIT_CODES] == ["0", "1", "2", "3", "4", "130"]
    for code, meaning in EXIT_CODES:
        assert re.search(rf"^  {code} +{re.escape(meaning)}$", texts[""], re.MULTILINE)
