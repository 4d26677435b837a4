"""One variant in figures, from run.db alone."""

import sqlite3
from collections import Counter
from typing import Any

from vaultstorm import events
from vaultstorm.reconcile import acknowledged, operations
from vaultstorm.reconcile.verdicts import VERDICTS
from vaultstorm_wire.outcome import OK, is_lost


def summarise(db: sqlite3.Connection, variant: str) -> dict[str, Any]:
    """Give what `run --json` says of a variant's attempts.

    `causes` counts the attempts that are not `ok` and have one; those that have none are
    `unexplained`. `events` counts what the front process wrote down, by name and by number in the
    event log. `gaps` names what is missing from the records, by kind. `interfaces` and
    `threads_held` are of the vault, in all workers together. `rpc` has the activations and the
    calls of an rpc:// target, and is None for another.
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
    }
