"""The result of a burst as JSON: the contract that scripts and thresholds read."""

from collections import Counter
from typing import Any

import msgspec

from vaultstorm_client.agent.ledger import VaultCounts
from vaultstorm_client.plan import Plan
from vaultstorm_client.rpc.counts import OPERATIONS, OperationCounts
from vaultstorm_client.tally import Tally
from vaultstorm_client.target import Target

SCHEMA = 1


def result(plan: Plan, target: Target, tally: Tally, interrupted: bool = False) -> dict[str, Any]:
    """Give a burst's result.

    `attempts` is the sum of `outcomes`; `lost` are those without a complete answer; `reused` counts
    the attempts on a connection that had carried a request before. `lag_ms` is the longest time for
    which the client did not look at its sockets, `busy` the share of its time that its busiest
    process worked; `saturated` says that there was a second of which 95 % was work: what timed out
    then, the client may have caused itself. `rpc_errors` has the HRESULTs that a Windows
    application would show, `rpc` the two operations of ``rpc://`` targets, and is null for others;
    `vault` is for agents and null for others.
    """
    counts = tally.counts
    began, ended = counts.began or 0.0, counts.ended or 0.0
    return {
        "schema": SCHEMA,
        "target": str(target),
        "seed": plan.seed,
        "attempts": counts.attempts,
        "ok": counts.ok,
        "lost": counts.lost,
        "outcomes": dict(sorted(counts.outcomes.items())),
        "reused": {"attempts": counts.reused, "lost": counts.reused_lost},
        "rpc_errors": _rpc_errors(counts.rpc),
        "latency_ms": {name: lat.percentiles_ms() for name, lat in tally.latencies.items()},
        "burst": {"connects": counts.connects, "syn_spread_ms": _spread_ms(tally)},
        "retries": {"syn": counts.syn_retries},
        "idle_closed": counts.idle_closed,
        "lag_ms": round(counts.lag * 1000, 3),
        "busy": round(counts.busy, 3),
        "saturated": counts.saturated,
        "vault": _vault(counts.vault) if plan.agents else None,
        "rpc": _rpc(counts.rpc) if target.scheme == "rpc" else None,
        "interrupted": interrupted,
        "duration_s": round(ended - began, 6),
    }


def _vault(counts: VaultCounts) -> dict[str, Any]:
    """Give what the agents put into the vault, and what of it came back.

    `snapshots.begun` is the sum of the three others: `committed` came to their close, `cut` were
    under way when the burst ended. `acknowledged` are the PUTs that the vault answered 200 or 201,
    `verified` the read-backs that gave what was put, byte for byte. `findings` are the first of
    what is lost or corrupt, `failures` has a reason why snapshots failed for each kind of call.
    """
    return {
        "agents": counts.agents,
        "snapshots": {
            name: getattr(counts, name) for name in ("begun", "committed", "failed", "cut")
        },
        **{
            said: {
                name: getattr(counts, f"{said}_{name}") for name in ("blocks", "snapshots", "bytes")
            }
            for said in ("acknowledged", "verified")
        },
        "lost": counts.lost,
        "corrupt": counts.corrupt,
        "findings": msgspec.to_builtins(counts.findings),
        "failures": counts.failures,
    }


def _rpc(counts: dict[str, OperationCounts]) -> dict[str, Any]:
    """Give each operation's own share of `attempts`, `ok`, `lost`, `outcomes` and `rpc_errors`.

    `peers` are the addresses it went to: the resolver, and the ports of object exporters.
    """
    return {
        name: {
            "attempts": ours.attempts,
            "ok": ours.ok,
            "lost": ours.lost,
            "outcomes": dict(sorted(ours.outcomes.items())),
            "errors": dict(sorted(ours.errors.items())),
            "peers": list(ours.peers),
        }
        for name in OPERATIONS
        for ours in (counts.get(name, OperationCounts()),)
    }


def _rpc_errors(counts: dict[str, OperationCounts]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for ours in counts.values():
        total.update(ours.errors)
    return dict(sorted(total.items()))


def _spread_ms(tally: Tally) -> float | None:
    counts = tally.counts
    if counts.first_syn is None or counts.last_syn is None:
        return None
    return round((counts.last_syn - counts.first_syn) * 1000, 3)
