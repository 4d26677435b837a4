"""The life of a worker as a table, and the wait before the next one."""

import pytest

from vaultstorm_server.w3svc.policy import TRANSITIONS, Change, State, restart_delay


def test_every_life_ends_and_no_dead_worker_lives_again() -> None:
    """From each state but the last an exit leads to DEAD; from there nothing leads anywhere."""
    for state, changes in TRANSITIONS.items():
        if state is State.DEAD:
            assert changes == {}
        else:
            assert changes[Change.EXIT] is State.DEAD


def test_only_a_starting_worker_can_say_hello() -> None:
    """A hello from any other state is a missing key."""
    said = {state for state, changes in TRANSITIONS.items() if Change.HELLO in changes}
    assert said == {State.STARTING}


@pytest.mark.parametrize(
    "failures, delay", [(0, 0.0), (1, 0.1), (2, 0.2), (6, 3.2), (7, 5.0), (8, 5.0), (10**6, 5.0)]
)
def test_the_wait_doubles_up_to_its_limit(failures: int, delay: float) -> None:
    """A worker that served is replaced at once; from the first failed start on there is a wait."""
    assert restart_delay(failures) == pytest.approx(delay)
