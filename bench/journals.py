"""Journals of a run that never was: as many attempts as asked for, and what a server says of them.

Of 20 attempts, 16 are answered, 2 are turned away, 1 is refused in a pause, and 1 is lost with its
worker: executed every second time.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from vaultstorm_wire import journal

CLIENT, FRONT, WORKER = 101, 102, 103
INTERVAL: Final = 0.0005
"""Seconds between two attempts."""
_BEGAN: Final = 1_750_000_000.0
_TARGET: Final = "/AeXRSVault/status"
_ABANDONED: Final = "Connection_Abandoned_By_AppPool"

Record = tuple[int, journal.AnyRecord]
"""A record, and the process that writes it."""


def write(folder: Path, attempts: int) -> None:
    """Write the run of one variant: FOLDER/journal/*.ndjson and FOLDER/burst.json."""
    (folder / "journal").mkdir(parents=True)
    outcomes: dict[str, int] = {}
    with ExitStack() as stack:
        lines = {}
        for role, pid in (("client", CLIENT), ("front", FRONT), ("worker", WORKER)):
            path = folder / "journal" / f"{role}-{pid}.ndjson"
            lines[pid] = journal.Lines(stack.enter_context(path.open("wb")).write)
            lines[pid].append(journal.Journal(time=_BEGAN, role=role, pid=pid))
        lines[FRONT].append(journal.Event(time=_BEGAN, name="worker_started", worker=WORKER))
        for number in range(attempts):
            for pid, record in _attempt(number):
                lines[pid].append(record)
                if isinstance(record, journal.Attempt):
                    outcomes[record.outcome] = outcomes.get(record.outcome, 0) + 1
            if number % 1000 == 0:
                for each in lines.values():
                    each.flush()
        for each in lines.values():
            each.flush()
    result = {"schema": 1, "attempts": attempts, "outcomes": outcomes}
    (folder / "burst.json").write_bytes(msgspec.json.encode(result))


def _attempt(number: int) -> Iterator[Record]:
    """Give all records of one attempt."""
    kind, begin = number % 20, _BEGAN + number * INTERVAL
    local = f"127.0.0.{2 + number // 28000}:{32768 + number % 28000}"
    id = f"{7:016x}-{number}-0"
    if kind < 16:
        yield from _served(begin, number, id, local, None, True)
        yield CLIENT, _tried(begin, number, local, "ok", wait=0.004, receive=0.0001, sent=120)
    elif kind < 18:
        away = journal.TurnedAway(time=begin + 0.001, peer=local, cause="backlog_full", how="reset")
        yield FRONT, away
        yield CLIENT, _tried(begin, number, local, "tls.reset", errno="ECONNRESET")
    elif kind == 18:
        yield FRONT, journal.Pause(time=begin, style="refuse", until=begin + 0.002)
        refused = {"errno": "ECONNREFUSED", "tls": None}
        yield CLIENT, _tried(begin, number, local, "connect.refused", **refused)
    else:
        yield from _served(begin, number, id, local, _ABANDONED, number % 40 == 39)
        yield CLIENT, _tried(begin, number, local, "wait.closed", wait=0.004, sent=120)


def _tried(begin: float, number: int, local: str, outcome: str, **more: Any) -> journal.Attempt:
    fields: dict[str, Any] = {"connect": 0.000104, "tls": 0.002371, **more}
    return journal.Attempt(
        time=begin,
        id=f"{7:016x}-{number}-0",
        connection=f"0.{number}",
        nth=0,
        peer="127.0.0.1:443",
        local=local,
        start=begin,
        end=begin + 0.0071,
        outcome=outcome,
        **fields,
    )


def _served(
    begin: float, number: int, id: str, local: str, cause: str | None, executed: bool
) -> Iterator[Record]:
    yield (
        FRONT,
        journal.Request(
            time=begin + 0.003,
            id=id,
            connection=number,
            peer=local,
            method="GET",
            target=_TARGET,
            worker=WORKER,
            dispatched=begin + 0.0031,
            answered=None if cause else begin + 0.0042,
            status=None if cause else 200,
            cause=cause,
        ),
    )
    if executed:
        run = journal.Execution(
            time=begin + 0.004, id=id, worker=WORKER, method="GET", target=_TARGET, status=200
        )
        yield WORKER, run
    if number % 100 == 0:
        sample = journal.Sample(
            time=begin, free=number % 10, queued=1, turned_away=0, open=2, waiting=0, in_flight=1
        )
        yield FRONT, sample
