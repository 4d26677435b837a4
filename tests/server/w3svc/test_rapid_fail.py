"""Rapid-fail protection."""

import pytest

from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.rapid_fail import RapidFail


def test_the_fifth_failure_trips_and_not_the_fourth() -> None:
    """By default five within five minutes."""
    rapid_fail = RapidFail(AppPool())
    for now in (0.0, 1.0, 2.0, 3.0):
        rapid_fail.failed(now)
    assert (rapid_fail.count, rapid_fail.tripped) == (4, False)
    rapid_fail.failed(4.0)
    assert rapid_fail.tripped


@pytest.mark.parametrize("last, tripped", [(299.999, True), (300.0, True), (300.001, False)])
def test_both_ends_of_the_interval_belong_to_it(last: float, tripped: bool) -> None:
    """Failures exactly RapidFailProtectionInterval apart fall within it, later ones do not."""
    rapid_fail = RapidFail(AppPool())
    for now in (0.0, 100.0, 100.0, 100.0, last):
        rapid_fail.failed(now)
    assert rapid_fail.tripped is tripped


def test_one_failure_trips_if_one_is_the_limit() -> None:
    """RapidFailProtectionMaxCrashes 1 allows none."""
    rapid_fail = RapidFail(AppPool(RapidFailProtectionMaxCrashes=1))
    assert not rapid_fail.tripped
    rapid_fail.failed(0.0)
    assert rapid_fail.tripped


def test_switched_off_nothing_trips() -> None:
    """Ten failures at once are none too many; switched on, the next one is."""
    rapid_fail = RapidFail(AppPool(RapidFailProtection=0))
    for _ in range(10):
        rapid_fail.failed(0.0)
    assert not rapid_fail.tripped
    rapid_fail.configure(AppPool())
    assert not rapid_fail.tripped
    rapid_fail.failed(1.0)
    assert rapid_fail.tripped


def test_a_slow_trickle_never_trips_and_leaves_nothing_behind() -> None:
    """One failure every 76 s is four in five minutes, for ever."""
    rapid_fail = RapidFail(AppPool())
    for turn in range(1000):
        rapid_fail.failed(turn * 76.0)
    assert (rapid_fail.count, rapid_fail.tripped) == (4, False)


def test_cleared_it_begins_anew() -> None:
    """After a clear it takes all five again."""
    rapid_fail = RapidFail(AppPool())
    for _ in range(5):
        rapid_fail.failed(0.0)
    rapid_fail.clear()
    assert (rapid_fail.count, rapid_fail.tripped) == (0, False)


@pytest.mark.parametrize("most, tripped", [(2, True), (3, True), (4, False)])
def test_a_changed_limit_counts_what_has_failed(most: int, tripped: bool) -> None:
    """Two failures stay counted; the next is measured against the other limit."""
    rapid_fail = RapidFail(AppPool())
    rapid_fail.failed(0.0)
    rapid_fail.failed(0.0)
    rapid_fail.configure(AppPool(RapidFailProtectionMaxCrashes=most))
    assert not rapid_fail.tripped
    rapid_fail.failed(1.0)
    assert rapid_fail.tripped is tripped
