"""The summary for a person."""

from typing import Any

import pytest

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.plan import Plan
from vaultstorm_client.result import result
from vaultstorm_client.summary import WIDTH, data_finding, summary
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
        (
            Plan(workload="agent", clients=3, requests=2),
            "3 agents, 2 snapshot(s) each, all at once",
        ),
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


AGENTS = Plan(workload="agent")
AMOUNT = {"blocks": 5, "snapshots": 1, "bytes": 99}
VAULT = {
    "agents": 1,
    "snapshots": {"begun": 4, "committed": 1, "failed": 2, "cut": 1},
    "acknowledged": AMOUNT,
    "verified": AMOUNT,
    "lost": 0,
    "corrupt": 0,
}


def test_what_the_vault_kept() -> None:
    """Snapshots and acknowledged data are told apart from the requests."""
    text = written("ok", plan=AGENTS, vault=VAULT)
    assert "4 begun, 1 committed, 2 failed, 1 cut; 8 block(s) each, 4 lane(s)" in text
    assert text.count("5 blocks, 1 snapshots, 99 bytes") == 2
    assert "nothing acknowledged was found lost or corrupt" in text
    assert "DATA" not in text


@pytest.mark.parametrize("lost, corrupt", [(1, 0), (0, 1), (2, 3)])
def test_a_finding_about_data(lost: int, corrupt: int) -> None:
    """Lost or corrupt data is said to be so, whatever became of the requests."""
    text = written("ok", plan=AGENTS, vault={**VAULT, "lost": lost, "corrupt": corrupt})
    assert f"DATA LOST: {lost}, CORRUPT: {corrupt}" in text
    assert max(len(line) for line in text.splitlines()) <= WIDTH


def test_no_finding() -> None:
    """Without agents, and with a vault that kept its word, there is nothing to say."""
    assert data_finding(None) is None
    assert data_finding(VAULT) is None
