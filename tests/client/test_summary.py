"""The summary for a person."""

from typing import Any

import pytest

from tests.client.harness import rpc_tally
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


def test_an_rpc_target() -> None:
    """Its rounds are the load, its ports and Windows' messages stand below the outcomes."""
    tally = rpc_tally("127.0.0.1:5001")
    plan = Plan(calls=3)
    text = summary(plan, result(plan, parse("rpc://127.0.0.1"), tally))
    assert "100 clients, 1 round(s) each of 1 activation and 3 call(s), all at once" in text
    rows = {line.split()[0]: line for line in text.splitlines() if "%" in line}
    assert rows["connect.refused"].endswith("0x800706BA")
    assert rows["bind.rejected"].endswith("by its reason")
    assert rows["rpc.0x1c010014"].endswith("0x800706BB")
    assert "0x800706B5 1 x at the call (127.0.0.1:5001): The interface is unknown." in text
    assert "this one did not run" in text
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert "activation" not in written("ok")
    without_end = Plan(requests=None, duration=1.0)
    text = summary(without_end, result(without_end, parse("rpc://127.0.0.1"), tally))
    assert "rounds without end of 1 activation and 1 call(s)" in text


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
    "findings": [],
    "failures": {},
}
NOTHING = dict.fromkeys(AMOUNT, 0)


def test_what_the_vault_kept() -> None:
    """Snapshots and acknowledged data are told apart from the requests."""
    text = written("ok", plan=AGENTS, vault=VAULT)
    assert "4 begun, 1 committed, 2 failed, 1 cut; 8 block(s) each, 4 lane(s)" in text
    assert text.count("5 blocks, 1 snapshots, 99 bytes") == 2
    assert "nothing acknowledged was found lost or corrupt" in text
    assert "DATA" not in text


@pytest.mark.parametrize(
    "kept, back, said",
    [
        (NOTHING, NOTHING, "nothing was acknowledged, so there was nothing to lose"),
        (AMOUNT, NOTHING, "5 blocks and 1 snapshots acknowledged, none read back"),
        ({**NOTHING, "blocks": 1}, NOTHING, "1 blocks and 0 snapshots acknowledged, none read"),
        (AMOUNT, {**NOTHING, "snapshots": 1}, "nothing acknowledged was found lost or corrupt"),
    ],
    ids=["nothing", "none-read-back", "one-block", "one-manifest"],
)
def test_no_more_is_said_than_was_seen(
    kept: dict[str, int], back: dict[str, int], said: str
) -> None:
    """What was not read back is not said to be whole."""
    text = written("ok", plan=AGENTS, vault={**VAULT, "acknowledged": kept, "verified": back})
    assert said in text
    assert text.count("nothing acknowledged") == said.count("nothing acknowledged")


def test_why_snapshots_failed() -> None:
    """The reasons stand below the snapshots, with how many have failed."""
    reasons = {
        "open": "the answer to opening an interface was 404 from something that is no vault",
        "put": "putting a block had no complete answer",
    }
    text = written("ok", plan=AGENTS, vault={**VAULT, "failures": reasons})
    assert f"failed snapshots: 2, for instance: {'; '.join(reasons.values())}" in " ".join(
        text.split()
    )
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert "failed snapshots" not in written("ok", plan=AGENTS, vault=VAULT)


@pytest.mark.parametrize("count", [1, 5, 6, 20])
def test_which_are_found(count: int) -> None:
    """The first five are named, whole, with their requests; of the others there is the number."""
    found = [
        {"what": "lost", "kind": "block", "name": f"{nth:064x}", "id": f"{nth:016x}-0-0",
         "detail": "404 unknown_block"}
        for nth in range(count)
    ]  # fmt: skip
    vault = {**VAULT, "lost": count + 7, "findings": found}
    text = written("ok", plan=AGENTS, vault=vault)
    said = " ".join(text.split())
    for one in found[:5]:
        which = f"lost: block {one['name']} in request {one['id']}: 404 unknown_block"
        assert which in said
        assert one["name"] in text
    assert said.count("lost: block") == min(count, 5)
    assert f"and {count + 7 - min(count, 5)} more;" in said
    assert max(len(line) for line in text.splitlines()) <= WIDTH
    assert "more;" not in written("ok", plan=AGENTS, vault={**vault, "lost": min(count, 5)})


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
