"""Did it execute? An ordered table of rules over the workers' own records."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from vaultstorm.reconcile import evidence, ids
from vaultstorm.reconcile import foreign as others
from vaultstorm.reconcile.foreign import UNSEEN
from vaultstorm.reconcile.rules import TOLERANCE, Rule, case

VERDICTS: Final = ("once", "never", "twice", "unknown")

_EXECUTIONS: Final = "(SELECT COUNT(*) FROM execution WHERE variant = :variant AND id = attempt.id)"

_BEGUN: Final = "(SELECT COUNT(*) FROM begun WHERE variant = :variant AND id = attempt.id)"

_NOT_SENT: Final = Rule(
    "'never'",
    "sent = 0",
    "No byte of a request left the client; tcp:// attempts carry none at all.",
)

RULES: Final = (
    Rule("'once'", f"{_EXECUTIONS} = 1", "It was written down, once, before its answer left."),
    Rule("'twice'", f"{_EXECUTIONS} > 1", "Twice or more often."),
    _NOT_SENT,
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


_PROVEN: Final = """(SELECT COUNT(*) FROM execution
    WHERE variant = :variant AND id = attempt.id
        AND (source IS NULL OR status BETWEEN 100 AND 399))"""

FOREIGN: Final = (
    Rule("'twice'", f"{_PROVEN} > 1", "Written down twice: the same request was passed on again."),
    Rule(
        "'unknown'",
        f"{_EXECUTIONS} > {_PROVEN}",
        "An access log has it with a status of 400 or above: 499, its client had gone, and nobody"
        " says how far it had come; or an answer that the server may have given by itself. Or with"
        " 000, as nginx logs what it ended without any answer.",
    ),
    Rule(
        "'unknown'",
        f"{_PROVEN} = 1 AND {_BEGUN} > 1",
        "It was begun more than once, and nobody wrote down how the other time ended.",
    ),
    Rule("'once'", f"{_PROVEN} = 1", "The application, or the log, has it once."),
    _NOT_SENT,
    Rule(
        "'unknown'",
        f"{_BEGUN} > 0",
        "The application had it, and was cancelled or killed before it said how it answers.",
    ),
    Rule(
        "'unknown'",
        ":executions_unseen",
        "There is no journal and no access log, or one that lacks what was answered, or whose last"
        " line is cut off: the execution may be what is not in it.",
    ),
    Rule(
        "'unknown'",
        ":lines_lost",
        "An access log has a line when a request is done with: none of what a process had that was"
        " killed, and nobody here sees workers die. This server was not only asked to reload or to"
        " end in good order, or did not end so, or goes on.",
    ),
    Rule(
        "'unknown'",
        "(:by_log OR :goes_on) AND (outcome GLOB '*.timeout' OR outcome GLOB '*.local')",
        "Its client gave up, or was ended: the server may have gone on with it until it was ended,"
        " and have had no time left for the line; or it goes on, and may come to it yet.",
    ),
    Rule(
        "'never'",
        "TRUE",
        "The application writes before it begins, in every process, and what is written survives"
        " the process; or, of a log, the server has finished with all that it had begun. It is in"
        " none, and all that was answered is.",
    ),
)
"""The same for a server that is not ours: what is missing proves less."""


_UNUSUAL: Final = f"""
INSERT INTO temp.unusual
SELECT attempt.rowid FROM (
    SELECT * FROM ({ids.only_in("attempt", "execution")})
    UNION ALL SELECT id FROM execution WHERE variant = :variant GROUP BY id HAVING COUNT(*) > 1
) AS other CROSS JOIN attempt ON attempt.variant = :variant AND attempt.id = other.id
"""
"""The first of `RULES` gives all others `schema.USUAL`, and they have it."""


def find(db: sqlite3.Connection, variant: str, foreign: bool = False) -> None:
    """Give every attempt of a variant its verdict, by `FOREIGN` or by `RULES`."""
    if foreign:
        by_log = others.by_log(db, variant)
        _apply(
            db,
            FOREIGN,
            variant=variant,
            by_log=by_log,
            goes_on=others.goes_on(db, variant),
            lines_lost=by_log and others.may_have_lost_lines(db, variant),
            executions_unseen=evidence.has_gap(db, variant, UNSEEN),
        )
        return
    unseen = evidence.note_unexecuted(db, variant)
    unseen = unseen or evidence.has_gap(db, variant, evidence.EXECUTIONS_UNSEEN)
    _note_unusual(db, variant)
    _apply(
        db,
        RULES,
        "rowid IN (SELECT attempt FROM temp.unusual)",
        variant=variant,
        tolerance=TOLERANCE,
        died=evidence.life(db, variant).died,
        rpc_unseen=evidence.has_gap(db, variant, evidence.RPC_UNSEEN),
        executions_unseen=unseen,
    )


def _note_unusual(db: sqlite3.Connection, variant: str) -> None:
    """Fill the temporary table `unusual` with the attempts that were not executed just once.

    The laws of conservation ask it, too: another scan of all attempts costs more.
    """
    db.execute("DROP TABLE IF EXISTS temp.unusual")
    db.execute("CREATE TEMP TABLE unusual(attempt INTEGER PRIMARY KEY)")
    db.execute(_UNUSUAL, {"variant": variant})


def _apply(
    db: sqlite3.Connection, rules: Sequence[Rule], which: str = "TRUE", **given: Any
) -> None:
    db.execute(
        f"UPDATE attempt NOT INDEXED SET verdict = {case(rules)}"
        f" WHERE variant = :variant AND {which}",
        given,
    )
