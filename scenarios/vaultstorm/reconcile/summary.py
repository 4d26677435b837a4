"""One variant in figures, from run.db alone."""

import sqlite3
from collections import Counter
from typing import Any, Final

from vaultstorm import events
from vaultstorm.reconcile import acknowledged, client, operations
from vaultstorm.reconcile.schema import LOST
from vaultstorm.reconcile.verdicts import VERDICTS
from vaultstorm_wire.outcome import OK, is_lost

SOON: Final = 1.0
"""Seconds after an action within which a loss is counted for it."""


def summarise(db: sqlite3.Connection, variant: str) -> dict[str, Any]:
    """Give what `run --json` says of a variant's attempts.

    `causes` counts the attempts that are not `ok` and have one; those that have none are
    `unexplained`. `events` counts what the front process wrote down, by name and by number in the
    event log. `gaps` names what is missing from the records, by kind. `interfaces` and
    `threads_held` are of the vault, in all workers together. `rpc` has the activations and the
    calls of an rpc:// target, and is None for another. `client` is what the server saw of somebody
    else's client, and None for ours.
    """
    outcomes: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    verdicts: Counter[str] = Counter(dict.fromkeys(VERDICTS, 0))
    unexplained = 0
    kinds = """
        SELECT outcome, cause, verdict, COUNT(*) FROM attempt NOT INDEXED
        WHERE variant = ? GROUP BY 1, 2, 3
        """
    for outcome, cause, verdict, attempts in db.execute(kinds, (variant,)):
        outcomes[outcome] += attempts
        verdicts[verdict] += attempts
        if cause is not None:
            causes[cause] += attempts
        elif outcome != OK:
            unexplained += attempts
    happened = """
        SELECT name, event_id, COUNT(*) FROM event
        WHERE variant = ? AND role = 'front' GROUP BY name, event_id
        """
    gaps = "SELECT kind, COUNT(*) FROM gap WHERE variant = ? GROUP BY kind ORDER BY kind"
    peaks = """
        SELECT COALESCE(MAX(interfaces), 0), COALESCE(MAX(threads_held), 0)
        FROM sample WHERE variant = ?
        """
    interfaces, threads_held = db.execute(peaks, (variant,)).fetchone()
    return {
        "attempts": outcomes.total(),
        "ok": outcomes[OK],
        "lost": sum(attempts for outcome, attempts in outcomes.items() if is_lost(outcome)),
        "outcomes": dict(sorted((+outcomes).items())),
        "causes": dict(sorted(causes.items())),
        "verdicts": dict(verdicts),
        "unexplained": unexplained,
        "events": events.count(db.execute(happened, (variant,))),
        "acknowledged": acknowledged.counts(db, variant),
        "interfaces": {"peak": interfaces},
        "threads_held": {"peak": threads_held},
        "rpc": operations.count(db, variant),
        "gaps": dict(db.execute(gaps, (variant,)).fetchall()),
        "server": _server(db, variant),
        "lost_after_action": _lost_after_action(db, variant),
        "client": client.count(db, variant),
    }


def _server(db: sqlite3.Connection, variant: str) -> str:
    row = db.execute("SELECT server FROM variant WHERE name = ?", (variant,)).fetchone()
    return str(row[0]) if row else "vaultstorm"


def _lost_after_action(db: sqlite3.Connection, variant: str) -> dict[str, int]:
    """Count, by what the runner did, the attempts that were lost within `SOON` after it.

    One that ended after several of the same kind counts once.
    """
    one = {"variant": variant, "soon": SOON}
    acted = "variant = :variant AND role = 'runner' AND name = 'action'"
    kinds = f"SELECT DISTINCT COALESCE(detail, '') FROM event WHERE {acted} ORDER BY 1"
    found = dict.fromkeys((kind for (kind,) in db.execute(kinds, one)), 0)
    if found:
        query = f"""
            SELECT kind, COUNT(*) FROM (
                SELECT DISTINCT attempt.rowid, COALESCE(event.detail, '') AS kind
                FROM attempt NOT INDEXED CROSS JOIN event
                    ON event.variant = :variant AND event.role = 'runner' AND name = 'action'
                    AND event.time BETWEEN attempt.end - :soon AND attempt.end
                WHERE attempt.variant = :variant AND {LOST})
            GROUP BY kind
            """
        found |= dict(db.execute(query, one).fetchall())
    return found
