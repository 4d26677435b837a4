"""Advice for every outcome there is."""

import pytest

from vaultstorm_client.advice import ADVICE, LOCAL, advice
from vaultstorm_wire.outcome import NAMES


@pytest.mark.parametrize("outcome", sorted(NAMES))
def test_every_loss(outcome: str) -> None:
    """Every loss has one line of advice, those of the own machine the same one."""
    line = advice(outcome)
    assert line
    assert "\n" not in line
    assert (line == LOCAL) == outcome.endswith(".local")


def test_nothing_else() -> None:
    """There is no advice for what cannot happen."""
    assert set(ADVICE) <= set(NAMES)


@pytest.mark.parametrize("outcome, empty", [("ok", True), ("http.503", False), ("rpc.0x5", False)])
def test_answers(outcome: str, empty: bool) -> None:
    """What is ok needs none; an error that was answered does."""
    assert (advice(outcome) == "") is empty
