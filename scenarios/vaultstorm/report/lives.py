"""The lives of worker processes: from their start to their end, and what was lost with them."""

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from vaultstorm.events import WORKER_ENDS
from vaultstorm.report.fates import ABANDONED

BINS: Final = 2000
"""Moments of one time line that losses are told apart by."""

_LOST: Final = "(cause <> 'Connection_Dropped' AND cause IS NOT NULL)"
"""In SQL, that a request was lost with its worker: its client had not gone before."""

STAGES: Final = ("worker_started", "worker_serving", "worker_stopping")
NAMES: Final = (*STAGES, *WORKER_ENDS)
"""The events that a life is made of."""


class Life(NamedTuple):
    """A worker process. Moments are seconds since the first attempt; None for what was not seen."""

    worker: int
    started: float | None = None
    serving: float | None = None
    stopping: float | None = None
    """When it was told to shut down."""
    until: float | None = None
    ending: str = ""
    lost: tuple[tuple[float, int], ...] = ()
    """When requests came that were lost with it, and how many."""


class Ends(NamedTuple):
    """What was lost with workers, and how long after they had been told to end. Seconds."""

    lost: int
    """Requests that a worker had taken, and that were lost with it."""
    late: int
    """Those of them that came after it had been told to shut down, and before its end."""
    least: float
    most: float
    """How long after: between these."""
    waited: int = 0
    """Requests that no worker had taken, and that were lost with the one they waited for."""


def read(db: sqlite3.Connection, variant: str, zero: float, span: float) -> tuple[Life, ...]:
    """Read all lives of a variant, in the order of their first event."""
    lives: list[Life] = []
    current: dict[int, int] = {}
    rows = db.execute(
        f"SELECT time - ?, name, worker FROM event WHERE variant = ? AND worker IS NOT NULL"
        f" AND name IN ({', '.join('?' * len(NAMES))}) ORDER BY time, rowid",
        (zero, variant, *NAMES),
    )
    for time, name, worker in rows:
        if worker not in current or name == "worker_started":
            current[worker] = len(lives)
            lives.append(Life(worker))
        at = current[worker]
        lives[at] = _later(lives[at], name, time)
    return _with_losses(lives, _losses(db, variant, zero, span))


def ends(db: sqlite3.Connection, variant: str) -> Ends | None:
    """Measure how requests that were lost with a worker stand to its end; None if none was lost."""
    stopping = """(SELECT MAX(time) FROM event
        WHERE variant = :variant AND worker = request.worker AND name = 'worker_stopping'
            AND time <= request.time)"""
    lost, late, least, most = db.execute(
        f"SELECT COUNT(*), COUNT(after), MIN(after), MAX(after) FROM ("
        f"SELECT time - {stopping} AS after FROM request NOT INDEXED WHERE variant = :variant"
        f" AND worker IS NOT NULL AND status IS NULL AND {_LOST})",
        {"variant": variant},
    ).fetchone()
    (waited,) = db.execute(
        "SELECT COUNT(*) FROM request NOT INDEXED"
        " WHERE variant = ? AND worker IS NULL AND cause = ?",
        (variant, ABANDONED),
    ).fetchone()
    return Ends(lost, late, least or 0.0, most or 0.0, waited) if lost or waited else None


def most_at_once(lives: Iterable[Life]) -> int:
    """Give how many workers there were at the same time, at most."""
    moments = []
    for life in lives:
        moments.append((life.started if life.started is not None else float("-inf"), 1))
        moments.append((life.until if life.until is not None else float("inf"), -1))
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def _later(life: Life, name: str, time: float) -> Life:
    """Put the next event of a life where it belongs; only the first of its kind counts."""
    if name in WORKER_ENDS:
        return life if life.until is not None else life._replace(until=time, ending=name)
    if name == "worker_started":
        return life._replace(started=time)
    if name == "worker_serving":
        return life if life.serving is not None else life._replace(serving=time)
    return life if life.stopping is not None else life._replace(stopping=time)


def _losses(
    db: sqlite3.Connection, variant: str, zero: float, span: float
) -> dict[int, list[tuple[float, int]]]:
    """Count by worker and moment."""
    width = max(span / BINS, 0.0001)
    losses: dict[int, list[tuple[float, int]]] = {}
    for worker, number, count in db.execute(
        "SELECT worker, CAST((time - ?) / ? AS INTEGER) AS bin, COUNT(*) FROM request NOT INDEXED"
        f" WHERE variant = ? AND worker IS NOT NULL AND status IS NULL AND {_LOST}"
        " GROUP BY worker, bin ORDER BY bin",
        (zero, width, variant),
    ):
        losses.setdefault(worker, []).append((number * width, count))
    return losses


def _with_losses(
    lives: Iterable[Life], losses: dict[int, list[tuple[float, int]]]
) -> tuple[Life, ...]:
    """Give each life its losses; a process id that was used twice has them in its last one."""
    last = {life.worker: n for n, life in enumerate(lives)}
    return tuple(
        life._replace(lost=tuple(losses.get(life.worker, ()))) if last[life.worker] == n else life
        for n, life in enumerate(lives)
    )
