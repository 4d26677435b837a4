"""The life of a worker process as a table."""

import pytest

from vaultstorm_server.w3svc.states import TRANSITIONS, Change, State


def test_every_life_ends_and_no_dead_worker_lives_again() -> None:
    """From each state but the last an exit leads to DEAD; from there nothing leads anywhere."""
    assert set(TRANSITIONS) == set(State)
    for state, changes in TRANSITIONS.items():
        if state is State.DEAD:
            assert changes == {}
        else:
            assert changes[Change.EXIT] is State.DEAD


@pytest.mark.parametrize(
    "change, states",
    [
        (Change.HELLO, {State.STARTING}),
        (Change.STOP, {State.SERVING}),
        (Change.LOST, {State.STARTING, State.SERVING, State.SHUTTING_DOWN}),
    ],
)
def test_what_can_happen_when(change: Change, states: set[State]) -> None:
    """A hello of one that serves, or the stop of one that does not, is a missing key."""
    assert {state for state, changes in TRANSITIONS.items() if change in changes} == states


def test_one_that_shuts_down_never_serves_again() -> None:
    """Nothing leads from SHUTTING_DOWN but to the end."""
    assert set(TRANSITIONS[State.SHUTTING_DOWN].values()) == {State.SHUTTING_DOWN, State.DEAD}
