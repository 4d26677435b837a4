"""The kernel's queue of a foreign server's listening port, over time."""

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from vaultstorm.report import words

POINTS_MAX: Final = 2000
"""Most moments that are drawn; of more, the fullest in each interval."""


NEAR: Final = 10
"""A tenth of its backlog is what a queue has to hold to be worth a chart."""


class Queue(NamedTuple):
    """What the kernel held from a moment on. The time is seconds since the first attempt."""

    time: float
    queued: int
    """Connections that waited for the server's accept."""
    backlog: int | None
    overflows: int
    """Connections that had found no room, in the whole network namespace."""


def read(
    db: sqlite3.Connection, variant: str, zero: float, first: float, last: float
) -> tuple[Queue, ...]:
    """Read it from what was true at `first` to `last`; empty if nobody looked."""
    rows = db.execute(
        "SELECT time - ?, queued, backlog, overflows FROM kernel WHERE variant = ? AND time >= ("
        " SELECT COALESCE(MAX(time), 0) FROM kernel WHERE variant = ? AND time <= ?)"
        " AND time <= ? ORDER BY time",
        (zero, variant, variant, zero + first, zero + last),
    )
    queues = [Queue(max(time, first), *rest) for time, *rest in rows]
    if len(queues) <= POINTS_MAX:
        return tuple(queues)
    width = (last - first) / POINTS_MAX
    fullest: dict[int, Queue] = {}
    for queue in queues:
        number = int((queue.time - first) / width)
        before = fullest.get(number, queue)
        fullest[number] = max(before, queue, key=lambda one: (one.queued, one.overflows))
    return tuple(fullest.values())


def charted(queues: Iterable[Queue]) -> list[list[float]]:
    """Give what the chart draws: moments, connections that waited, the backlog."""
    known = [queue for queue in queues if queue.backlog is not None] or list(queues)
    return [
        [round(queue.time, 4) for queue in known],
        [queue.queued for queue in known],
        [queue.backlog or 0 for queue in known],
    ]


def is_worth_a_chart(queues: Iterable[Queue]) -> bool:
    """Tell whether the queue came anywhere near its backlog: a line along the bottom is none."""
    return any(queue.queued * NEAR >= (queue.backlog or 0) for queue in queues if queue.queued)


def told(queues: Iterable[Queue]) -> str:
    """Say in a sentence without its end what the chart shows; nothing of a queue that was empty.

    The kernel counts overflows of all ports together: they are this one's business only if it was
    full.
    """
    seen = list(queues)
    most = max((queue.queued for queue in seen), default=0)
    if not most:
        return ""
    backlogs = {queue.backlog for queue in seen if queue.backlog is not None}
    limit = f", with a backlog of {max(backlogs):,}" if backlogs else ""
    full = any(queue.backlog is not None and queue.queued > queue.backlog for queue in seen)
    found = max(queue.overflows for queue in seen) if full else 0
    away = f", and {words.count(found, 'connection')} found no room" if found else ""
    whose = "The kernel\N{RIGHT SINGLE QUOTATION MARK}s queue of the listening port"
    return f"{whose} held up to {most:,}{limit}{away}"
