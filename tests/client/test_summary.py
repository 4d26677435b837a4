"""The summary for a person."""

from typing import Any

import pytest

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.plan import Plan
from vaultstorm_client.result import result
from vaultstorm_client.summary import WIDTH, summary
from vaultstorm_client.tally import Tally
from vaultstorm_client.target import parse
from vaultstorm_wire.outcome import NAMES


def written(*outcomes: str, plan: Plan | None = None, **changes: Any) -> str:
    """Write the summary of these outcomes."""
    tally = Tally()
    for outcome in outcomes:
        tally.count(Attempt("a", 0.0, 0.0), outcome, 0.5)
    shown = result(plan or Plan(), parse("tcp://127.0.0.1:9"), tally)
    return summary(plan or Plan(), {**shown, **changes})


def test_every_outcome_in_the_order_of_phases() -> None:
    """All outcomes there are fit, ok first, then answers, then losses by phase."""
    text = written("ok", "http.503", *NAMES)
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    rows = [line.split()[0] for line in text.splitlines() if line.startswith("  ") and "%" in line]
    assert rows[:3] == ["ok", "http.503", "connect.closed"]
    assert set(rows) == {"ok", "http.503", *NAMES}
    assert "0x800706BA" in text


def test_nothing() -> None:
    """A burst of nothing is told without a division by it."""
    text = written()
    assert "0 attempts" in text
    assert "no latency" in text


@pytest.mark.parametrize(
    "outcome, saturated, warned",
    [("wait.timeout", True, True), ("wait.timeout", False, False), ("ok", True, False)],
)
def test_warning(outcome: str, saturated: bool, warned: bool) -> None:
    """A timeout that the client may have caused itself is said to be so."""
    assert ("WARNING" in written(outcome, saturated=saturated)) is warned


@pytest.mark.parametrize(
    "plan, words",
    [
        (Plan(), "100 clients, 1 request(s) each, all at once"),
        (Plan(ramp=2.0), "spread over 2 s"),
        (Plan(clients=None, rate=5.0, duration=3.0), "5 a second, constant, for 3 s"),
        (Plan(requests=None, duration=1.0), "requests without end"),
    ],
)
def test_load(plan: Plan, words: str) -> None:
    """The load is told in words."""
    assert words in written("ok", plan=plan)


def test_what_happened_besides() -> None:
    """Retries, idle ends and the interruption are told."""
    text = written("ok", retries={"syn": 3}, idle_closed=4, interrupted=True)
    assert "3 SYNs were sent again" in text
    assert "4 kept connections" in text
    assert "(interrupted)" in text
