"""The arithmetic of the results."""

import pytest

from bench.result import Check, Column, Growth, Measurement, Row, verdicts


def measurement() -> Measurement:
    """Make one with two subjects."""
    made = Measurement("spread", "a title", [Column("ms", "ms"), Column("cpu", "cpu")], "bare")
    for value in (20.0, 10.0, 60.0):
        made.row("bare").add(ms=value, cpu=1.0)
    for value in (30.0, 31.0):
        made.row("ours").add(ms=value)
    return made


@pytest.mark.parametrize(
    "rounds, expected", [([], None), ([3.0], 3.0), ([1.0, 2.0], 1.5), ([9.0, 1.0, 2.0], 2.0)]
)
def test_a_row_gives_the_median_of_its_rounds(rounds: list[float], expected: float | None) -> None:
    """Give the middle one, the mean of the middle two, and nothing of nothing."""
    row = Row("ours")
    for value in rounds:
        row.add(ms=value)

    assert row.value("ms") == expected


def test_a_ratio_is_made_of_the_first_column_and_the_reference() -> None:
    """Divide the medians of the first column, unless another figure or subject is named."""
    made = measurement()

    assert made.ratio("ours") == 30.5 / 20.0
    assert made.ratio("bare") == 1.0
    assert made.ratio("bare", to="ours") == 20.0 / 30.5
    assert made.ratio("bare", key="cpu") == 1.0


@pytest.mark.parametrize("subject, to", [("nobody", "bare"), ("bare", "nobody"), ("ours", None)])
def test_a_ratio_to_what_was_not_measured_is_none(subject: str, to: str | None) -> None:
    """Give no ratio where a subject or a figure is missing."""
    assert measurement().ratio(subject, to, key="cpu") is None


def test_a_ratio_to_zero_is_none() -> None:
    """Give no ratio to a figure of zero."""
    made = measurement()
    made.row("still").add(ms=0.0)

    assert made.ratio("ours", to="still") is None


@pytest.mark.parametrize(
    "actual, at_most, expected",
    [
        (1.49, True, True),
        (1.5, True, True),
        (1.51, True, False),
        (1.49, False, False),
        (1.5, False, True),
        (1.51, False, True),
    ],
)
def test_the_limit_itself_reaches_the_target(actual: float, at_most: bool, expected: bool) -> None:
    """Pass at the limit, on either side of which the check turns."""
    assert Check("claim", actual, 1.5, at_most).passed is expected


def test_a_target_without_a_figure_is_noted_and_not_passed() -> None:
    """Say that a target was not held against anything, instead of counting it."""
    made = measurement()
    made.hold("x wrk", None, 0.8)

    assert made.checks == []
    assert made.notes == ["not held against its target: x wrk"]


def test_verdicts_keep_the_outcome() -> None:
    """Give each check with whether it passed, for the JSON."""
    made = measurement()
    made.hold("x bare", 1.2, 1.5)
    made.hold("answered", 9.0, 10.0, at_most=False)

    assert [(verdict.claim, verdict.passed) for verdict in verdicts(made)] == [
        ("x bare", True),
        ("answered", False),
    ]


def test_growth_gives_the_medians_by_size() -> None:
    """In the order of the sizes; a figure that could not be had is none."""
    growth = Growth("connects", "us")
    for size, value in ((100, 3.0), (10, 7.0), (100, 5.0), (100, 4.0), (30, None)):
        growth.add("ours", size, value)

    assert growth.points("ours") == [(10, 7.0), (100, 4.0)]
    assert growth.points("theirs") == []
