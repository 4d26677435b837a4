"""What became of the worker that a lost request belonged to."""

import sqlite3
from typing import Any, Final, NamedTuple

from vaultstorm.events import EVENT_LOG, WORKER_ENDS
from vaultstorm.report import words

ABANDONED: Final = "Connection_Abandoned_By_AppPool"
_HOW: Final = {
    "worker_died": "died",
    "worker_killed": "was killed",
    "worker_orphaned": "was let go of",
}
"""What a worker did in the end; any other ended."""

_TOLD: Final = ("recycle", "worker_stopping", EVENT_LOG, *WORKER_ENDS)


class Fate(NamedTuple):
    """The end of a worker, as seconds from when the request came: below 0 is before it."""

    worker: int
    came: float
    """When the request came, since 1970."""
    stopping: float | None
    """When it was told to shut down."""
    until: float | None
    ending: str
    detail: str | None
    number: int | None
    """Of the entry in the event log that tells why W3SVC ended it."""
    other: int | None
    """A worker that took requests when this one came."""


def of(db: sqlite3.Connection, attempt: dict[str, Any]) -> Fate | None:
    """Find the worker that a request was lost with; None if it was lost otherwise."""
    if attempt["cause"] != ABANDONED:
        return None
    variant = attempt["variant"]
    row = db.execute(
        "SELECT worker, COALESCE(dispatched, time) FROM request"
        " WHERE variant = ? AND id = ? AND worker IS NOT NULL AND cause = ? LIMIT 1",
        (variant, attempt["id"], ABANDONED),
    ).fetchone()
    if row is None:
        return None
    worker, came = row
    life = _life(db, variant, worker, came)
    ends = [event for event in life if event[1] in WORKER_ENDS and event[0] >= came]
    until, ending, detail, _ = ends[0] if ends else (None, "", None, None)
    stops = [time for time, name, _, _ in life if name == "worker_stopping"]
    logged = [number for time, _, _, number in life if number is not None and time >= came]
    return Fate(
        worker,
        came,
        stops[0] - came if stops else None,
        None if until is None else until - came,
        ending,
        detail,
        logged[0] if logged else None,
        _other(db, variant, worker, came),
    )


def events(db: sqlite3.Connection, variant: str, fate: Fate) -> list[int]:
    """Give the rows of the events that tell the worker's end."""
    marks = ", ".join("?" * len(_TOLD))
    rows = db.execute(
        f"SELECT rowid FROM event WHERE variant = ? AND worker = ? AND name IN ({marks})",
        (variant, fate.worker, *_TOLD),
    )
    return [row for (row,) in rows]


def sentence(fate: Fate) -> str:
    """Say it in one sentence."""
    how = _HOW.get(fate.ending, "ended")
    number = f"; the event log has {fate.number}" if fate.number else ""
    if fate.stopping is not None and fate.stopping <= 0:
        before = words.milliseconds(-fate.stopping * 1000)
        other = f", although worker {fate.other} took requests" if fate.other else ""
        return (
            f"Its connection was bound to worker {fate.worker}, which had been told to shut down "
            f"{before} before http.sys sent it there{other}, and which {how}{_after(fate)}{number}."
        )
    told = " and "
    if fate.stopping is not None and (fate.until is None or fate.stopping <= fate.until):
        told = f", was told to shut down {words.milliseconds(fate.stopping * 1000)} after, and "
    return f"Worker {fate.worker} had been given it{told}{how}{_after(fate)}{number}."


def _after(fate: Fate) -> str:
    if fate.until is None:
        return " at a moment that nobody wrote down"
    why = f" ({fate.detail})" if fate.detail else ""
    return f" {words.milliseconds(fate.until * 1000)} after{why}"


def _life(
    db: sqlite3.Connection, variant: str, worker: int, came: float
) -> list[tuple[float, str, str | None, int | None]]:
    """Read the events of a worker from its last start before a moment on."""
    rows = db.execute(
        "SELECT time, name, detail, event_id FROM event WHERE variant = ? AND worker = ?"
        " AND time >= COALESCE((SELECT MAX(time) FROM event WHERE variant = ? AND worker = ?"
        " AND name = 'worker_started' AND time <= ?), 0) ORDER BY time, rowid",
        (variant, worker, variant, worker, came),
    )
    return rows.fetchall()


def _other(db: sqlite3.Connection, variant: str, worker: int, came: float) -> int | None:
    """Find another worker that took requests at a moment."""
    gone = ", ".join(f"'{name}'" for name in ("worker_stopping", *WORKER_ENDS))
    row = db.execute(
        f"""
        SELECT worker FROM event AS began
        WHERE variant = :variant AND name = 'worker_serving' AND worker <> :worker
            AND time <= :came AND NOT EXISTS (
                SELECT 1 FROM event WHERE variant = :variant AND worker = began.worker
                    AND time BETWEEN began.time AND :came
                    AND name IN ({gone}))
        ORDER BY time DESC LIMIT 1
        """,
        {"variant": variant, "worker": worker, "came": came},
    ).fetchone()
    return None if row is None else int(row[0])
