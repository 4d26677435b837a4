"""Latency by percentile."""

import sqlite3

import pytest

from vaultstorm.report import latency


@pytest.mark.parametrize("answers, last", [(0, None), (1, 0), (2, 1), (100, 99), (12345, 12344)])
def test_ranks_end_with_the_slowest(answers: int, last: int | None) -> None:
    """The curve goes up to the slowest answer, and no further."""
    found = latency.ranks(answers)
    assert (found[-1] if found else None) == last
    assert found == sorted(found)
    assert found.count(answers - 1) <= 1 or answers == 1


def test_ranks_are_percentiles() -> None:
    """Every full step of ten holds the percentile that its name says."""
    found = latency.ranks(1000)
    assert found[0] == 0
    assert found[20] == 899  # p90: 900 of 1,000 answers took no longer
    assert found[40] == 989
    assert found[60] == 998


def test_curve(db: sqlite3.Connection) -> None:
    """Only complete answers count, and times never fall."""
    curve = latency.curve(db, "broken")
    assert curve.answers == 10
    assert list(curve.ms) == sorted(curve.ms)
    assert latency.curve(db, "nobody") == latency.Curve(0, ())
