"""The watch on the client's own lateness."""

import pytest

from vaultstorm_client.lag import SATURATED, LagWatch


def test_worst_and_busy() -> None:
    """The worst turn is the longest, and all of them are work."""
    lag = LagWatch()
    for began, ended in ((10.0, 10.1), (10.2, 10.5), (11.0, 11.2)):
        lag.turn(began, ended)
    assert lag.worst == pytest.approx(0.3)
    assert lag.busy == pytest.approx(0.6)
    assert not lag.saturated


@pytest.mark.parametrize("work, saturated", [(SATURATED - 0.01, False), (SATURATED, True)])
def test_saturated(work: float, saturated: bool) -> None:
    """A second of which 95 % is work is saturated, in one turn or in ten."""
    for turns in (1, 8):
        lag = LagWatch()
        for index in range(turns):
            began = 100.0 + index / turns
            lag.turn(began, began + work / turns + 1e-9)
        assert lag.saturated is saturated


def test_seconds_are_apart() -> None:
    """Work of different seconds does not add up."""
    lag = LagWatch()
    for second in range(10):
        lag.turn(100.0 + second, 100.5 + second)
    assert not lag.saturated
