"""The call limit lets exactly so many calls be in progress."""

import pytest

from vaultstorm_server.rpcss.calls import CallLimit


@pytest.mark.parametrize("limit", [1, 2, 1234])
def test_the_limit_is_the_last_call_that_is_let_in(limit: int) -> None:
    """One call fewer than the limit leaves room for one, the limit for none."""
    calls = CallLimit(limit)
    assert all(calls.begin() for _ in range(limit - 1))
    assert calls.begin()
    assert not calls.begin()
    assert (calls.in_progress, calls.refused) == (limit, 1)


def test_a_call_that_ends_makes_room() -> None:
    """Whoever is refused may try again as soon as another call has ended."""
    calls = CallLimit(1)
    assert calls.begin()
    assert not calls.begin()
    calls.end()
    assert calls.begin()
    assert (calls.in_progress, calls.ended, calls.refused) == (1, 1, 1)


def test_no_call_can_end_that_has_not_begun() -> None:
    """The count never falls below 0."""
    with pytest.raises(ValueError, match="no call is in progress"):
        CallLimit(1).end()


def test_it_shows_how_full_it_is() -> None:
    """The representation tells what a debugger's reader wants to know."""
    calls = CallLimit(3)
    calls.begin()
    assert repr(calls) == "<CallLimit: 1 of 3 in progress>"
