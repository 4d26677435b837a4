"""How help is laid out: options by what they are about, then the examples; 80 columns wide."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import typer.core

OPTIONS: Final = "Options"
OTHERS: Final = "Other options"
"""Where those stand that are in no group, if there are groups."""
NAME_MAX: Final = 30
"""Width of an option with what it takes, above which its text begins on the next line."""
EXIT_CODES: Final = (
    ("0", "fine"),
    ("1", "a finding: --fail-on held, a layer failed, an expectation was not met"),
    ("2", "wrong usage or configuration"),
    ("3", "the machine will not do it"),
    ("4", "a bug in vaultstorm"),
    ("130", "interrupted"),
)

_RANGES: Final = (
    (re.compile(r"; 0<=x<=\d{19,}|\[0<=x<=\d{19,}\]"), ""),  # of a seed, which is drawn
    (re.compile(r"(\d+)<=x<=(\d+)"), r"\1 to \2"),
    (re.compile(r"x>=(\d+)"), r"at least \1"),
    (re.compile(r"\] +\["), "; "),
    (re.compile(r" {2,}\["), " ["),
)


class Command(typer.core.TyperCommand):
    """A command whose options are grouped by their `rich_help_panel`, without Rich."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Name what is required without braces."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and groups of options."""
        _write(sections(self.get_params(ctx), ctx), formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        _write_examples(self.epilog, formatter)


class Group(typer.core.TyperGroup):
    """The program itself: its commands, its options, and what its exit codes mean."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands first: they are what is looked for."""
        self.format_commands(ctx, formatter)
        _write(sections(self.get_params(ctx), ctx), formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the exit codes and the examples."""
        _write([("Exit codes", list(EXIT_CODES))], formatter)
        _write_examples(self.epilog, formatter)


def sections(params: Iterable[Any], ctx: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """Sort what a command takes into titled groups, in the order in which they first appear."""
    found: dict[str, list[tuple[str, str]]] = {}
    rest: list[tuple[str, str]] = []
    for param in params:
        record = param.get_help_record(ctx)
        if record is None:
            continue
        if param.param_type_name == "argument":
            rows = found.setdefault("Arguments", [])
        elif getattr(param, "rich_help_panel", None):
            rows = found.setdefault(param.rich_help_panel, [])
        else:
            rows = rest
        rows.append((_name(record[0]), _text(record[1])))
    if rest:
        found[OTHERS if set(found) - {"Arguments"} else OPTIONS] = rest
    return list(found.items())


def _name(shown: str) -> str:
    """Write a switch and its opposite in one."""
    return re.sub(r"^--([\w-]+) / --no-\1$", r"--[no-]\1", shown)


def _text(shown: str) -> str:
    for pattern, words in _RANGES:
        shown = pattern.sub(words, shown)
    return shown.rstrip()


def _write(titled: Iterable[tuple[str, list[tuple[str, str]]]], formatter: Any) -> None:
    for title, rows in titled:
        with formatter.section(title):
            formatter.write_dl(rows, col_max=NAME_MAX)


def _write_examples(epilog: str | None, formatter: Any) -> None:
    if epilog:
        with formatter.section("Examples"):
            formatter.write("".join(_indented(epilog, formatter.current_indent)))


def _indented(text: str, indent: int) -> Iterator[str]:
    return (f"{'':{indent}}{line}\n" for line in text.splitlines())
