"""Tables of rules, and the SQL that they become."""

import sqlite3
from contextlib import closing

import pytest

from vaultstorm.reconcile import causes, verdicts
from vaultstorm.reconcile.rules import Rule, case

RULES = (
    Rule("'small'", "x < 10", "one digit"),
    Rule("'even'", "x % 2 = 0", "two halves"),
)


@pytest.mark.parametrize("x, expected", [(9, "small"), (8, "small"), (10, "even"), (11, None)])
def test_the_first_rule_that_holds_decides(x: int, expected: str | None) -> None:
    """Order counts; what no rule covers is NULL."""
    with closing(sqlite3.connect(":memory:")) as db:
        assert db.execute(f"SELECT {case(RULES)} FROM (SELECT ? AS x)", (x,)).fetchone() == (
            expected,
        )


def test_every_rule_has_its_reason() -> None:
    """A table that a reader can follow says why, in sentences."""
    for rule in (*causes.RULES, *verdicts.RULES):
        assert rule.because.endswith(".")
