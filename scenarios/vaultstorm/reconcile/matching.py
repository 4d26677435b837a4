"""Connections that the server turned away, found again among the attempts."""

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final

from vaultstorm.reconcile.rules import TOLERANCE
from vaultstorm.reconcile.schema import LOST, PORT

# Only the first request of a connection can meet a full accept queue, and it gets no answer. A
# port can serve several times in a run, so the times must fit too: the reset fell into the life of
# the attempt, or nearly so. A port carries one connection after the other: so do its records.
# Whoever gave up by itself was not reset afterwards. A record that names the server's port speaks
# of that port alone: from one port of its own a client may be connected to several.
_PAIRS: Final = f"""
SELECT turned_away.peer, turned_away.rowid, attempt.rowid, turned_away.cause
FROM turned_away CROSS JOIN attempt
    ON attempt.variant = turned_away.variant AND attempt.local = turned_away.peer
WHERE turned_away.variant = :variant AND outcome <> 'ok' AND {LOST}
    AND outcome NOT GLOB '*.local' AND nth = 0
    AND (turned_away.port IS NULL OR turned_away.port = {PORT.replace("peer", "attempt.peer")})
    AND turned_away.time BETWEEN start - :tolerance
        AND end + CASE WHEN outcome GLOB '*.timeout' THEN 0 ELSE :tolerance END
ORDER BY turned_away.peer, start, attempt.id, turned_away.time
"""


def match(db: sqlite3.Connection, variant: str) -> None:
    """Fill the temporary table `matched` with attempts and what they were turned away for."""
    db.execute("DROP TABLE IF EXISTS temp.matched")
    db.execute("CREATE TEMP TABLE matched(attempt INTEGER PRIMARY KEY, cause TEXT NOT NULL)")
    pairs = db.execute(_PAIRS, {"variant": variant, "tolerance": TOLERANCE})
    db.executemany("INSERT INTO temp.matched VALUES (?, ?)", _in_order(pairs))


def _in_order(pairs: Iterator[tuple[str, int, int, str]]) -> Iterator[tuple[int, str]]:
    """Give each attempt of a peer, by its start, the earliest record that none before it has.

    That leaves the fewest without one, since both lives and records of a port are in order. No
    record and no attempt serves twice.
    """
    for _, candidates in groupby(pairs, key=itemgetter(0)):
        used: set[int] = set()
        explained: set[int] = set()
        for _, record, attempt, cause in candidates:
            if record not in used and attempt not in explained:
                used.add(record)
                explained.add(attempt)
                yield attempt, cause
