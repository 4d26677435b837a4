"""The activations and the calls of an rpc:// target, each counted for itself."""

import sqlite3
from collections import Counter
from typing import Any

from vaultstorm.reconcile.verdicts import VERDICTS
from vaultstorm_wire.outcome import OK, hresult_of, is_lost


def count(db: sqlite3.Connection, variant: str) -> dict[str, Any] | None:
    """Give what `run --json` says by operation; None if no attempt was an activation or a call."""
    found: dict[str, dict[str, Any]] = {}
    rows = db.execute(
        "SELECT operation, outcome, win32, cause, verdict, SUM(attempts) FROM operations"
        " WHERE variant = ? GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4",
        (variant,),
    )
    for operation, outcome, win32, cause, verdict, attempts in rows:
        counts = found.setdefault(operation, _none())
        counts["attempts"] += attempts
        counts["ok"] += attempts * (outcome == OK)
        counts["lost"] += attempts * is_lost(outcome)
        counts["outcomes"][outcome] += attempts
        counts["verdicts"][verdict] += attempts
        code = hresult_of(outcome, win32)
        if code is not None:
            counts["errors"][code] += attempts
        if cause is not None:
            counts["causes"][cause] += attempts
    return found or None


def _none() -> dict[str, Any]:
    return {
        **dict.fromkeys(("attempts", "ok", "lost"), 0),
        "outcomes": Counter(),
        "errors": Counter(),
        "causes": Counter(),
        "verdicts": Counter(dict.fromkeys(VERDICTS, 0)),
    }
