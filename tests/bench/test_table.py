"""The table that a person reads."""

import pytest

from bench.result import Column, Measurement
from bench.table import figure, grid, render


def test_a_table_has_ratios_targets_and_notes() -> None:
    """Show each subject's medians with its ratio to the reference, then the verdicts."""
    made = Measurement(
        "spread",
        "1,000 connects",
        [Column("ms", "spread ms"), Column("off", "off by %", 0)],
        reference="bare loop",
        notes=["a word"],
    )
    made.row("bare loop").add(ms=20.0)
    made.row("vaultstorm").add(ms=1234.56, off=2.4)
    made.row("vaultstorm").note = "2 processes"
    made.hold("x bare loop", made.ratio("vaultstorm"), 1.5)
    made.hold("answered", 10.0, 10.0, at_most=False)

    assert render(made) == (
        "spread: 1,000 connects\n"
        "              spread ms  x bare loop  off by %\n"
        "  bare loop        20.0         1.00         -\n"
        "  vaultstorm    1,234.6        61.73         2  2 processes\n"
        "  MISS  x bare loop: 61.73 <= 1.5\n"
        "  PASS  answered: 10.00 >= 10\n"
        "  note  a word\n"
    )


def test_without_a_reference_there_is_no_ratio() -> None:
    """Leave the column of ratios out."""
    made = Measurement("held", "many", [Column("n", "answered", 0)])
    made.row("vaultstorm").add(n=10_000)

    assert render(made) == "held: many\n              answered\n  vaultstorm    10,000\n"


def test_a_broken_measurement_says_why() -> None:
    """Show the reason in place of a table."""
    made = Measurement("held", "many", [], broken="no answer")

    assert render(made) == "held: many\n  BROKEN  no answer\n"


def test_columns_line_up() -> None:
    """Put the first and last column to the left, figures to the right, no blanks at the end."""
    assert grid([["", "n", ""], ["long name", "1", "x"], ["a", "100", ""]]) == [
        "             n",
        "long name    1  x",
        "a          100",
    ]


@pytest.mark.parametrize(
    "value, digits, expected",
    [(None, 1, "-"), (0.0, 0, "0"), (1234.56, 1, "1,234.6"), (0.126, 2, "0.13")],
)
def test_figures_are_written_for_people(value: float | None, digits: int, expected: str) -> None:
    """Write thousands apart and only the digits that matter."""
    assert figure(value, digits) == expected
