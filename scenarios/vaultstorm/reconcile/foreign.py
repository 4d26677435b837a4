"""Somebody else's server: what its records prove, what they leave open, and how it ended."""

import re
import sqlite3
from typing import Final

from vaultstorm.reconcile import evidence
from vaultstorm.reconcile.evidence import Life

FOREIGN: Final = "foreign"
"""What `server` says of a variant whose server is not ours."""

_KNOWN: Final = """EXISTS (SELECT 1 FROM execution JOIN attempt
        ON attempt.variant = :variant AND attempt.id = execution.id
    WHERE execution.variant = :variant)
    OR EXISTS (SELECT 1 FROM begun JOIN attempt
        ON attempt.variant = :variant AND attempt.id = begun.id
    WHERE begun.variant = :variant)"""
"""In SQL, that a journal has at least one of the attempts: so it is the right one."""

_BY_LOG: Final = "EXISTS (SELECT 1 FROM execution WHERE variant = :variant AND source NOT NULL)"
"""In SQL, that executions are known from an access log alone, which has every answer."""

GAPS: Final[dict[str, str]] = {
    "no_executions_journal": f"""
        SELECT CASE
            WHEN EXISTS (SELECT 1 FROM journal WHERE variant = :variant AND role = 'worker')
            THEN 'no journal of the application, nor any access log, has one of the attempts'
            ELSE 'the application left no journal, and there was no access log' END
        WHERE NOT ({_KNOWN})
        """,
    "executions_incomplete": f"""
        SELECT missing || ' of ' || answers || ' answers are in no journal' FROM (
            SELECT COUNT(*) AS answers, COUNT(*) FILTER (WHERE NOT EXISTS (
                SELECT 1 FROM execution
                WHERE execution.variant = :variant AND execution.id = attempt.id)) AS missing
            FROM attempt NOT INDEXED WHERE variant = :variant AND sent > 0
                AND (outcome = 'ok' OR outcome GLOB 'http.*' AND ({_BY_LOG})))
        WHERE missing > 0 AND ({_KNOWN})
        """,
    "worker_journal_cut_off": evidence.GAPS["worker_journal_cut_off"],
    "client_journal_cut_off": evidence.GAPS["client_journal_cut_off"],
}
"""What may be missing from the records of a foreign server, and how it is noticed.

There is no front process of ours, and nobody says which processes there were: only answers without
a record show that a journal is missing.
"""

UNSEEN: Final = ("no_executions_journal", "executions_incomplete", "worker_journal_cut_off")
"""With one of these, an execution that is not in the tables may still have been."""

_AS_ASKED: Final = ("exit 0", "signal 1", "signal 2", "signal 3", "signal 15")
"""How a server ends that was asked to: some end by the very signal that asked them, as a shell
expects it."""

_ASKING: Final = ("stop", "signal TERM", "signal INT", "signal QUIT")
"""What asks a server to end."""

_GENTLE: Final = re.compile(
    r"(?:\b|SIG)(?:HUP|USR1|USR2|WINCH|QUIT|CONT|STOP|TSTP|CHLD|reload|reopen|quit)\b"
)
_ENDING: Final = re.compile(
    r"(?:\b|SIG)(?:KILL|TERM|INT|ABRT|SEGV|BUS|ILL|FPE|ALRM)\b|\s-(?:2|6|9|11|15)\b|restart|stop"
    r"|kill(?:all)?\s+(?!-(?:s\s+)?[A-Z])"  # TERM, unless it names another
)


def settle(db: sqlite3.Connection, variant: str) -> None:
    """Let an access log be no evidence of executions where the application keeps a journal.

    A server before it wrote the log, then: what it let pass is a request, and no execution.
    """
    one = {"variant": variant}
    query = """
        SELECT EXISTS (SELECT 1 FROM begun WHERE variant = :variant)
            OR EXISTS (SELECT 1 FROM execution WHERE variant = :variant AND source IS NULL)
        """
    (kept,) = db.execute(query, one).fetchone()
    if not kept:
        return
    db.execute(
        """
        INSERT INTO request(variant, id, connection, peer, method, target, time, status)
        SELECT variant, id, 0, '', method, target, time, status FROM execution
        WHERE variant = :variant AND source NOT NULL
        """,
        one,
    )
    db.execute("DELETE FROM execution WHERE variant = :variant AND source NOT NULL", one)


def by_log(db: sqlite3.Connection, variant: str) -> bool:
    """Tell whether executions are known from an access log alone."""
    return bool(db.execute(f"SELECT {_BY_LOG}", {"variant": variant}).fetchone()[0])


def goes_on(db: sqlite3.Connection, variant: str) -> bool:
    """Tell whether nobody saw the server end: it runs elsewhere, and outlives its records."""
    return not _ends(db, variant)


def may_have_lost_lines(db: sqlite3.Connection, variant: str) -> bool:
    """Tell whether processes may have ended with requests that their access log does not have.

    A line is written when a request is done with. So all of them are there only if nothing but
    what lets a server finish was done to it, and if it came to its own end when it was asked to.
    """
    ends = _ends(db, variant)
    if not ends or any(detail not in _AS_ASKED for detail in ends) or _ended_early(db, variant):
        return True
    return any(not is_gentle(detail) for _, detail in actions(db, variant))


def is_gentle(action: str) -> bool:
    """Tell whether an action of the runner leaves every request to be finished.

    A command is known only by its words: of one that says nothing known, anything may come.
    """
    return _GENTLE.search(action) is not None and _ENDING.search(action) is None


def actions(db: sqlite3.Connection, variant: str) -> list[tuple[float, str]]:
    """Give what the runner did to a server, and when."""
    return db.execute(
        "SELECT time, COALESCE(detail, '') FROM event"
        " WHERE variant = ? AND role = 'runner' AND name = 'action' ORDER BY time, rowid",
        (variant,),
    ).fetchall()


def life(db: sqlite3.Connection, variant: str) -> Life:
    """Find out when a server ended under the load, from what the runner saw and did.

    An end after the load is the run's own: it explains nothing.
    """
    acted = actions(db, variant)
    died = next((time for time, what in acted if what in ("kill", "signal KILL")), None)
    stopped = next((time for time, what in acted if what == "stop"), None)
    if not _ended_early(db, variant):
        return Life(died, stopped)
    exited, by_signal = db.execute(
        "SELECT time, detail GLOB 'signal *' FROM event"
        " WHERE variant = ? AND role = 'runner' AND name = 'server_exited' ORDER BY time LIMIT 1",
        (variant,),
    ).fetchone()
    asked = [time for time, what in acted if what in _ASKING and time <= exited]
    if asked:
        return Life(died, asked[0])
    if died is None and by_signal:
        return Life(exited, None)
    return Life(died, None if by_signal else exited)


def _ends(db: sqlite3.Connection, variant: str) -> list[str]:
    query = "SELECT detail FROM event WHERE variant = ? AND name = 'server_exited'"
    return [detail for (detail,) in db.execute(query, (variant,))]


def _ended_early(db: sqlite3.Connection, variant: str) -> bool:
    """Tell whether the server was gone before the load was over."""
    exited = _first(db, variant, "name = 'server_exited'")
    finished = _first(db, variant, "name = 'load_finished'")
    return exited is not None and (finished is None or exited < finished)


def _first(db: sqlite3.Connection, variant: str, which: str) -> float | None:
    query = f"SELECT MIN(time) FROM event WHERE variant = ? AND role = 'runner' AND {which}"
    time: float | None = db.execute(query, (variant,)).fetchone()[0]
    return time
