"""Fires a burst from the test's own process, and checks what must hold of every burst."""

import ssl
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.misbehaving import Misbehaving
from vaultstorm_client import burst, target
from vaultstorm_client.attempt import Attempt
from vaultstorm_client.engine import Progress
from vaultstorm_client.plan import Plan, check
from vaultstorm_client.result import result
from vaultstorm_client.tally import Tally
from vaultstorm_wire import journal
from vaultstorm_wire.outcome import Phase, is_lost

HOST = "127.0.0.1"
PHASES = [phase.value for phase in Phase]


def rpc_tally(peer: str) -> Tally:
    """Count an activation that went well and three calls that did not, each in its own way."""
    tally = Tally()
    for operation, outcome, win32 in [
        ("activation", "ok", None),
        ("call", "connect.refused", None),
        ("call", "bind.rejected", 1717),
        ("call", "rpc.0x1c010014", None),
    ]:
        attempt = Attempt("a", 0.0, 0.0)
        attempt.operation, attempt.win32, attempt.peer = operation, win32, peer
        tally.count(attempt, outcome, 0.5)
    return tally


class Fired(NamedTuple):
    """What came of a burst."""

    plan: Plan
    tally: Tally
    result: dict[str, Any]
    records: list[journal.Attempt]
    acknowledged: list[journal.Acknowledged]

    @property
    def outcomes(self) -> dict[str, int]:
        """Attempts by outcome."""
        return self.tally.counts.outcomes

    @property
    def only(self) -> journal.Attempt:
        """The one attempt there was."""
        (record,) = self.records
        return record


def fire(
    port: int,
    directory: Path,
    scheme: str = "http",
    tls: ssl.SSLContext | None = None,
    path: str = "",
    progress: Progress | None = None,
    **options: Any,
) -> Fired:
    """Fire at a port of 127.0.0.1; one client with one request unless `options` say otherwise."""
    plan = check(Plan(**{"clients": 1, "seed": 7, **options}))
    aim = target.parse(f"{scheme}://{HOST}:{port}{path}")
    tally, interrupted = burst.run(plan, aim, tls, directory, progress)
    told = result(plan, aim, tally, interrupted)
    fired = Fired(plan, tally, told, records(directory), acknowledged(directory))
    conserved(fired)
    return fired


def fire_at(server: Misbehaving, directory: Path, *args: Any, **options: Any) -> Fired:
    """Fire at `server`, which must see no request twice."""
    fired = fire(server.port, directory, *args, **options)
    assert [name for name, count in Counter(server.seen).items() if count > 1] == []
    assert set(server.seen) <= {record.id for record in fired.records}
    return fired


def records(directory: Path) -> list[journal.Attempt]:
    """Read the attempts in all journals of a directory."""
    return [record for record in _all(directory) if isinstance(record, journal.Attempt)]


def acknowledged(directory: Path) -> list[journal.Acknowledged]:
    """Read what was acknowledged, out of all journals of a directory."""
    return [record for record in _all(directory) if isinstance(record, journal.Acknowledged)]


def _all(directory: Path) -> list[journal.AnyRecord]:
    """Read all journals of a directory, each whole and with its opening line."""
    found: list[journal.AnyRecord] = []
    for path in sorted(directory.glob("client-*.ndjson")):
        lines = path.read_bytes().splitlines(keepends=True)
        assert all(line.endswith(b"\n") for line in lines)
        first, *rest = [journal.decode(line) for line in lines]
        assert isinstance(first, journal.Journal)
        assert first.role == "client"
        assert {type(record) for record in rest} <= {journal.Attempt, journal.Acknowledged}
        found += rest
    return found


def conserved(fired: Fired) -> None:
    """Check that nothing was lost or counted twice, and that the records make sense."""
    plan, counts, found = fired.plan, fired.tally.counts, fired.records
    assert counts.attempts == sum(counts.outcomes.values()) == len(found)
    assert fired.result["attempts"] == counts.attempts
    assert Counter(record.outcome for record in found) == counts.outcomes
    assert len({record.id for record in found}) == len(found)
    assert len({(record.connection, record.nth) for record in found}) == len(found)
    assert sum(record.syn_retries for record in found) == counts.syn_retries
    assert sum(record.nth > 0 for record in found) == counts.reused
    if plan.duration is None and not plan.agents and not fired.result["interrupted"]:
        assert plan.clients is not None
        assert plan.requests is not None
        rpc = fired.result["rpc"]
        first = counts.attempts if rpc is None else rpc["activation"]["attempts"]
        assert first == plan.clients * plan.requests
    for record in found:
        sensible(record)
    operated(fired)
    kept_to_account(fired)


def operated(fired: Fired) -> None:
    """Check that what ``rpc://`` attempts count by operation is what all of them count."""
    rpc, found = fired.result["rpc"], fired.records
    if rpc is None:
        assert not fired.tally.counts.rpc
        assert {(record.operation, record.win32) for record in found} <= {(None, None)}
        return
    shown: Counter[str] = Counter()
    for name, ours in rpc.items():
        made = [record for record in found if record.operation == name]
        assert Counter(record.outcome for record in made) == ours["outcomes"]
        assert ours["attempts"] == len(made)
        assert ours["lost"] == sum(is_lost(record.outcome) for record in made)
        assert ours["ok"] == ours["outcomes"].get("ok", 0)
        assert sum(ours["errors"].values()) == len(made) - ours["ok"]
        shown.update(ours["errors"])
    assert shown == fired.result["rpc_errors"]
    assert sum(ours["attempts"] for ours in rpc.values()) == len(found)
    if not fired.result["interrupted"] and fired.plan.duration is None:
        assert rpc["call"]["attempts"] == rpc["activation"]["ok"] * fired.plan.calls


def kept_to_account(fired: Fired) -> None:
    """Check that every snapshot has one end, and that each acknowledgement is an attempt's."""
    vault, said = fired.tally.counts.vault, fired.acknowledged
    assert vault.begun == vault.committed + vault.failed + vault.cut
    assert vault.agents == (fired.plan.clients if fired.plan.agents else 0)
    kinds = Counter(record.kind for record in said)
    assert kinds == +Counter(block=vault.acknowledged_blocks, snapshot=vault.acknowledged_snapshots)
    assert vault.acknowledged_bytes == sum(record.bytes for record in said)
    answered = {record.id for record in fired.records if record.outcome == "ok"}
    assert {record.id for record in said} <= answered
    assert len({record.id for record in said}) == len(said)


def sensible(record: journal.Attempt) -> None:
    """Check that the phases of a record lead to its outcome."""
    entered = [phase for phase in PHASES if getattr(record, phase) is not None]
    assert all(getattr(record, phase) >= 0 for phase in entered)
    assert record.time <= record.start + 1e-6
    assert record.start <= record.end + 1e-6
    assert (record.nth > 0) == ("connect" not in entered)
    last = entered[-1]
    if is_lost(record.outcome) and record.outcome != "tls.rejected":
        assert record.outcome.partition(".")[0] == last
    if record.received and record.peer and last != "connect":
        assert last == "receive"
    if last in ("wait",):
        assert record.sent
    if last == "receive":
        assert "send" in entered
