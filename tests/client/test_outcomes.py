"""Attempts by outcome."""

import pytest

from vaultstorm_client.outcomes import ByOutcome


@pytest.mark.parametrize(
    "outcomes, attempts, ok, lost",
    [
        ({}, 0, 0, 0),
        ({"ok": 3}, 3, 3, 0),
        ({"connect.reset": 2, "wait.timeout": 1}, 3, 0, 3),
        ({"ok": 1, "http.503": 2, "rpc.0x1c010014": 4, "bind.rejected": 8}, 15, 1, 8),
    ],
)
def test_an_attempt_is_ok_lost_or_an_answer_that_is_an_error(
    outcomes: dict[str, int], attempts: int, ok: int, lost: int
) -> None:
    """What is neither ok nor lost got a complete answer."""
    counted = ByOutcome(outcomes)
    assert (counted.attempts, counted.ok, counted.lost) == (attempts, ok, lost)
