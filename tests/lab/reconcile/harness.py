"""Runs written by hand: journals of a few records, reconciled, and asked."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from vaultstorm.reconcile import Violation, existing, reconcile, summarise
from vaultstorm_wire import journal
from vaultstorm_wire.journal import (
    AnyRecord,
    Attempt,
    Event,
    Execution,
    Pause,
    Request,
    Sample,
    TurnedAway,
)

LOCAL = "127.0.0.1:40000"
FRONT, WORKER = 11, 21


def attempt(
    outcome: str,
    start: float = 10.0,
    end: float = 11.0,
    *,
    id: str = "a",
    local: str | None = LOCAL,
    **more: Any,
) -> Attempt:
    """Give an attempt over TLS: the phases that it passed are known from its outcome."""
    sent = outcome.startswith(("ok", "http", "wait", "receive"))
    fields: dict[str, Any] = {
        "connect": 0.1,
        "tls": 0.1,
        "connection": "0.1",
        "nth": 0,
        "sent": 100 * sent,
    } | more
    return Attempt(
        time=start,
        start=start,
        end=end,
        id=id,
        local=local,
        peer="127.0.0.1:443",
        outcome=outcome,
        **fields,
    )


def turned_away(time: float, cause: str = "backlog_full", peer: str = LOCAL) -> TurnedAway:
    """Give the server's side of a reset."""
    return TurnedAway(time=time, peer=peer, cause=cause, how="reset")


def pause(time: float, until: float, style: str = "refuse") -> Pause:
    """Give an interval without room."""
    return Pause(time=time, until=until, style=style)


def sample(time: float, queued: int, opened: int) -> Sample:
    """Give what the front process held."""
    return Sample(
        time=time, free=9, queued=queued, turned_away=0, open=opened, waiting=0, in_flight=0
    )


def request(id: str | None = "a", worker: int | None = WORKER, **more: Any) -> Request:
    """Give the front process' side of a request; answered with 200 if nothing else is said."""
    fields = {"time": 10.5, "answered": 10.6, "status": 200} | more
    return Request(
        id=id, connection=1, peer=LOCAL, method="GET", target="/", worker=worker, **fields
    )


def lost(cause: str, id: str = "a", worker: int | None = WORKER) -> Request:
    """Give the front process' side of a request that got no answer."""
    return request(id, worker, answered=None, status=None, cause=cause)


def execution(id: str | None = "a", status: int = 200, worker: int = WORKER) -> Execution:
    """Give a worker's side of a request."""
    return Execution(time=10.55, id=id, worker=worker, method="GET", target="/", status=status)


def event(name: str, time: float = 1.0, worker: int | None = None, detail: str = "") -> Event:
    """Give a moment in a server's life."""
    return Event(time=time, name=name, worker=worker, detail=detail or None)


class Run:
    """A run directory with one variant, ``v``, of a server whose worker's journal is there.

    Args:
        directory: an empty one.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.folder = directory / "v"
        self.journals = self.folder / "journal"
        self.journals.mkdir(parents=True)
        self.write("front", FRONT, event("worker_started", worker=WORKER))
        self.write("worker", WORKER)

    def write(self, role: str, pid: int, *records: AnyRecord, cut: bytes = b"") -> Path:
        """Append to a process' journal, and give its path.

        Args:
            role: of the process.
            pid: of the process.
            records: what it wrote.
            cut: what stands behind the last whole line.
        """
        path = self.journals / f"{role}-{pid}.ndjson"
        header = [] if path.exists() else [journal.Journal(time=1.0, role=role, pid=pid)]
        with path.open("ab") as file:
            for record in [*header, *records]:
                file.write(journal.encode(record) + b"\n")
            file.write(cut)
        return path

    def client(self, *attempts: Attempt) -> None:
        """Write attempts down, and the result that fits them."""
        self.write("client", 31, *attempts)
        made = Counter(one.operation for one in attempts if one.operation)
        ok = Counter(one.operation for one in attempts if one.outcome == "ok")
        rpc = {name: {"attempts": made[name], "ok": ok[name]} for name in made}
        self.result(Counter(attempt.outcome for attempt in attempts), rpc)

    def result(self, outcomes: dict[str, int], rpc: dict[str, Any] | None = None) -> None:
        """Write burst.json."""
        result = {"schema": 1, "attempts": sum(outcomes.values()), "outcomes": outcomes}
        result |= {"rpc": rpc or None}
        (self.folder / "burst.json").write_bytes(msgspec.json.encode(result))

    def front(self, *records: AnyRecord) -> None:
        """Append to the front process' journal."""
        self.write("front", FRONT, *records)

    def worker(self, *records: AnyRecord) -> None:
        """Append to the worker's journal."""
        self.write("worker", WORKER, *records)

    def exited(self, detail: str) -> None:
        """Have the runner see the server's end."""
        self.write("runner", 41, event("server_exited", 60.0, detail=detail))

    def reconcile(self) -> list[Violation]:
        """Make run.db."""
        return reconcile(self.directory, ["v"])

    def rows(self, query: str) -> list[Any]:
        """Ask run.db; rows of one column are given as that column."""
        with existing(self.directory) as db:
            return [row[0] if len(row) == 1 else row for row in db.execute(query)]

    def column(self, name: str) -> dict[str, Any]:
        """Reconcile, expect no violation, and give one column of every attempt by its id."""
        assert self.reconcile() == []
        return dict(self.rows(f"SELECT id, {name} FROM attempt"))

    def summary(self) -> dict[str, Any]:
        """Give the variant in figures."""
        with existing(self.directory) as db:
            return summarise(db, "v")
