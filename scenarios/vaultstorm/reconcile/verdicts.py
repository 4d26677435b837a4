"""Did it execute? An ordered table of rules over the workers' own records."""

import sqlite3
from typing import Final

from vaultstorm.reconcile import evidence
from vaultstorm.reconcile.rules import TOLERANCE, Rule, case

VERDICTS: Final = ("once", "never", "twice", "unknown")

_EXECUTIONS: Final = "(SELECT COUNT(*) FROM execution WHERE variant = :variant AND id = attempt.id)"

RULES: Final = (
    Rule("'once'", f"{_EXECUTIONS} = 1", "It was written down, once, before its answer left."),
    Rule("'twice'", f"{_EXECUTIONS} > 1", "Twice or more often."),
    Rule(
        "'never'",
        "sent = 0",
        "No byte of a request left the client; tcp:// attempts carry none at all.",
    ),
    Rule(
        "'never'",
        """EXISTS (SELECT 1 FROM request WHERE variant = :variant AND id = attempt.id
            AND worker IS NULL AND cause IS NOT NULL)""",
        "HTTP.SYS refused or lost it before any worker had it.",
    ),
    Rule(
        "'unknown'",
        "EXISTS (SELECT 1 FROM begun WHERE variant = :variant AND id = attempt.id)",
        "A worker was about to keep what it brought, and died before it wrote down how that ended.",
    ),
    Rule(
        "'unknown'",
        """operation IS NOT NULL AND (outcome GLOB 'wait.*' OR outcome GLOB 'receive.*')
            AND attempt.end >= :died - :tolerance""",
        "A signal ended the process that executes what comes by RPC, while it had the request or"
        " was about to: its record may have died with it, between the execution and the answer.",
    ),
    Rule(
        "'unknown'",
        "operation IS NOT NULL AND :rpc_unseen",
        "What the front process wrote down of its own executions may be in what was cut off.",
    ),
    Rule(
        "'unknown'",
        ":executions_unseen",
        "A worker's journal is missing, cut off, or lacks what the worker has answered: the"
        " execution may be what is not in it.",
    ),
    Rule("'never'", "TRUE", "All journals of who executes are whole, and it is in none."),
)
"""The first rule that holds gives the verdict of an attempt."""


def find(db: sqlite3.Connection, variant: str) -> None:
    """Give every attempt of a variant its verdict."""
    unseen = evidence.has_gap(db, variant, evidence.EXECUTIONS_UNSEEN)
    unseen = unseen or evidence.execution_lost(db, variant)
    rpc = "SELECT EXISTS (SELECT 1 FROM attempt WHERE variant = ? AND operation IS NOT NULL)"
    (by_rpc,) = db.execute(rpc, (variant,)).fetchone()
    db.execute(
        f"UPDATE attempt NOT INDEXED SET verdict = {case(RULES)} WHERE variant = :variant",
        {
            "variant": variant,
            "tolerance": TOLERANCE,
            "died": evidence.life(db, variant).died if by_rpc else None,
            "rpc_unseen": evidence.has_gap(db, variant, evidence.RPC_UNSEEN),
            "executions_unseen": unseen,
        },
    )
