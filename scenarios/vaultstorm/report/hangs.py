"""The pool that hung under a request which its client gave up on."""

import sqlite3
from typing import Any, Final, NamedTuple

from vaultstorm.events import VAULT_CHAIN
from vaultstorm.report import words

CAUSE: Final = "pool_hung"


class Hang(NamedTuple):
    """The state of a worker's vault, as seconds from when a request came: below 0 is before it."""

    worker: int
    given: bool
    """Whether the worker had the request; else the request waited for it."""
    moments: dict[str, float]
    """The first of each step of the chain."""


def of(db: sqlite3.Connection, attempt: dict[str, Any]) -> Hang | None:
    """Find the worker that hung; None if the attempt failed otherwise."""
    if attempt["cause"] != CAUSE:
        return None
    variant, end = attempt["variant"], attempt["end"]
    row = db.execute(
        """
        SELECT request.worker IS NOT NULL, full.worker, COALESCE(dispatched, request.time)
        FROM request JOIN event AS full ON full.variant = request.variant
            AND full.name = 'table_full' AND full.worker = COALESCE(request.worker, full.worker)
        WHERE request.variant = ? AND request.id = ?
        ORDER BY full.time > ?, full.time DESC LIMIT 1
        """,
        (variant, attempt["id"], end),
    ).fetchone()
    if row is None:
        return None
    given, worker, came = row
    moments = db.execute(
        f"SELECT name, MIN(time) - ? FROM event WHERE variant = ? AND worker = ?"
        f" AND name IN ({', '.join('?' * len(VAULT_CHAIN))}) AND time <= ? GROUP BY name",
        (came, variant, worker, *VAULT_CHAIN, end),
    )
    return Hang(worker, bool(given), dict(moments.fetchall()))


def events(db: sqlite3.Connection, variant: str, hang: Hang) -> list[int]:
    """Give the rows of the events that tell how it came to it, the first of each step."""
    rows = db.execute(
        f"SELECT rowid, MIN(time) FROM event WHERE variant = ? AND worker = ?"
        f" AND name IN ({', '.join('?' * len(hang.moments))}) GROUP BY name",
        (variant, hang.worker, *hang.moments),
    )
    return [row for row, _ in rows]


def sentence(hang: Hang) -> str:
    """Say it in one sentence."""
    who = "Worker {} had it" if hang.given else "It waited for worker {}"
    told = [
        f"{what} {_when(hang.moments[name])}"
        for name, what in (
            ("clean_up_died", "its DoCleanUp died"),
            ("table_full", "its interface table was full"),
            ("pool_hung", "all its ISAPI threads were held"),
        )
        if name in hang.moments
    ]
    if told:
        told[0] += " the request came"
    *first, last = told or ["its interface table was full"]
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{who.format(hang.worker)}: {listed}."


def _when(seconds: float) -> str:
    moment = words.milliseconds(abs(seconds) * 1000)
    return f"{moment} {'before' if seconds <= 0 else 'after'}"
