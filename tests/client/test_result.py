"""The result as JSON."""

import json

import msgspec

from tests.client.harness import rpc_tally
from vaultstorm_client.agent.ledger import Finding, Found, VaultCounts
from vaultstorm_client.attempt import Attempt
from vaultstorm_client.plan import Plan
from vaultstorm_client.result import result
from vaultstorm_client.tally import Tally
from vaultstorm_client.target import parse

AIM = parse("tcp://127.0.0.1:9")


def test_the_contract() -> None:
    """It has the keys that scripts rely on, and the attempts are the sum of the outcomes."""
    tally = Tally()
    for outcome in ("ok", "connect.refused", "http.503"):
        tally.count(Attempt("a", 0.0, 0.0), outcome, 0.5)
    counts = tally.counts
    counts.first_syn, counts.last_syn, counts.began, counts.ended = 1.0, 1.25, 1.0, 3.5
    shown = json.loads(json.dumps(result(Plan(seed=5), AIM, tally, interrupted=True)))
    assert shown["schema"] == 1
    assert shown["target"] == "tcp://127.0.0.1:9"
    assert shown["attempts"] == sum(shown["outcomes"].values()) == 3
    assert (shown["ok"], shown["lost"], shown["seed"]) == (1, 1, 5)
    assert shown["reused"] == {"attempts": 0, "lost": 0}
    assert shown["rpc_errors"] == {}
    assert set(shown["latency_ms"]) == {"connect", "tls", "bind", "response", "total"}
    assert set(shown["latency_ms"]["total"]) == {"p50", "p90", "p99", "p99.9", "max"}
    assert shown["latency_ms"]["tls"] is None
    assert shown["burst"] == {"connects": 0, "syn_spread_ms": 250.0}
    assert shown["retries"] == {"syn": 0}
    assert (shown["duration_s"], shown["interrupted"]) == (2.5, True)
    assert shown["vault"] is None
    assert shown["rpc"] is None


def test_rpc() -> None:
    """At an rpc:// target there is each operation's share, and what Windows calls the failures."""
    tally = rpc_tally("127.0.0.1:1")
    shown = json.loads(json.dumps(result(Plan(), parse("rpc://127.0.0.1"), tally)))
    assert shown["target"] == "rpc://127.0.0.1"
    assert shown["rpc_errors"] == {"0x800706B5": 1, "0x800706BA": 1, "0x800706BB": 1}
    assert shown["rpc"] == {
        "activation": {
            "attempts": 1,
            "ok": 1,
            "lost": 0,
            "outcomes": {"ok": 1},
            "errors": {},
            "peers": ["127.0.0.1:1"],
        },
        "call": {
            "attempts": 3,
            "ok": 0,
            "lost": 2,
            "outcomes": {"bind.rejected": 1, "connect.refused": 1, "rpc.0x1c010014": 1},
            "errors": shown["rpc_errors"],
            "peers": ["127.0.0.1:1"],
        },
    }


def test_nothing_of_rpc() -> None:
    """A burst of nothing at an rpc:// target has both operations, empty."""
    shown = result(Plan(), parse("rpc://127.0.0.1"), Tally())["rpc"]
    assert list(shown) == ["activation", "call"]
    assert shown["call"]["attempts"] == 0


def test_nothing() -> None:
    """A burst of nothing has a result too."""
    shown = result(Plan(), AIM, Tally())
    assert (shown["attempts"], shown["outcomes"], shown["duration_s"]) == (0, {}, 0.0)
    assert shown["burst"]["syn_spread_ms"] is None


def test_agents() -> None:
    """With agents there is what the vault was given and what it gave back."""
    tally = Tally()
    names = [name for name, ours in msgspec.to_builtins(tally.counts.vault).items() if ours == 0]
    vault = VaultCounts(**{name: nth for nth, name in enumerate(names)})  # type: ignore[arg-type]
    vault.findings = [Found(Finding.LOST, "block", "ab", "7-0-1", "404 unknown_block")]
    vault.failures = {"open": "why"}
    tally.counts.vault = vault
    shown = json.loads(json.dumps(result(Plan(workload="agent"), AIM, tally)))
    assert shown["vault"] == {
        "agents": 0,
        "snapshots": {"begun": 1, "committed": 2, "failed": 3, "cut": 4},
        "acknowledged": {"blocks": 5, "snapshots": 6, "bytes": 7},
        "verified": {"blocks": 8, "snapshots": 9, "bytes": 10},
        "lost": 11,
        "corrupt": 12,
        "findings": [
            {"what": "lost", "kind": "block", "name": "ab", "id": "7-0-1",
             "detail": "404 unknown_block"}
        ],
        "failures": {"open": "why"},
    }  # fmt: skip
