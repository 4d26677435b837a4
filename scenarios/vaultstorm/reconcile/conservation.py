"""What must add up: attempts, requests and executions. Where they do not, we have a bug."""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from vaultstorm.reconcile import acknowledged, evidence, ids
from vaultstorm.reconcile.evidence import ATTEMPTS_UNSEEN, EXECUTIONS_UNSEEN, Result

LISTED: Final = 100
"""Violations of one kind in one variant that are listed by id; a last one counts the others."""


class Violation(NamedTuple):
    """Something that cannot be."""

    variant: str
    kind: str
    id: str | None
    """Of the request, where it is about one."""
    detail: str


class Law(NamedTuple):
    """One law of conservation."""

    kind: str
    unless: tuple[str, ...]
    """The gaps with which it cannot be judged."""
    query: str
    """Gives id and detail of what breaks it, in order of id."""
    of_client: bool = False
    """Whether it is about our client alone, so that it holds with anybody's server."""


_CUT: Final = """EXISTS (SELECT 1 FROM gap
    WHERE variant = :variant AND kind = 'front_journal_cut_off')"""
"""In SQL, that an execution which came by RPC may be in what was cut off."""

LAWS: Final = (
    Law(
        "id_twice",
        (),
        """
        SELECT id, COUNT(*) || ' attempts carry it' FROM attempt WHERE variant = :variant
        GROUP BY id HAVING COUNT(*) > 1 ORDER BY id
        """,
        of_client=True,
    ),
    Law(
        "execution_without_attempt",
        ATTEMPTS_UNSEEN,
        f"""
        SELECT other.id, 'worker ' || MIN(worker) || ' executed what nobody sent'
        FROM ({ids.only_in("execution", "attempt")}) AS other
        CROSS JOIN execution ON execution.variant = :variant AND execution.id = other.id
        GROUP BY other.id ORDER BY other.id
        """,
    ),
    Law(
        "acknowledged_without_answer",
        ATTEMPTS_UNSEEN,
        """
        SELECT id, 'the client says that its ' || kind || ' was acknowledged, and has no answer'
        FROM acknowledged WHERE variant = :variant AND NOT EXISTS (
            SELECT 1 FROM attempt WHERE variant = :variant AND attempt.id = acknowledged.id
                AND outcome = 'ok')
        ORDER BY id
        """,
        of_client=True,
    ),
    Law(
        "answer_without_execution",
        EXECUTIONS_UNSEEN,
        f"""
        SELECT id, 'the client has its answer, and nobody executed it'
        FROM temp.unusual CROSS JOIN attempt ON attempt.rowid = unusual.attempt
        WHERE outcome = 'ok' AND sent > 0
            AND verdict IN ('never', 'unknown') AND NOT (operation NOTNULL AND {_CUT}) ORDER BY id
        """,
    ),
    Law(
        "executed_twice",
        ("no_server_journal",),
        """
        SELECT id, times || ' executions' FROM (
            SELECT id, COUNT(*) AS attempts, (
                SELECT COUNT(*) FROM execution
                WHERE execution.variant = :variant AND execution.id = attempt.id) AS times
            FROM temp.unusual CROSS JOIN attempt ON attempt.rowid = unusual.attempt
            WHERE verdict = 'twice' GROUP BY id)
        WHERE times > attempts ORDER BY id
        """,
    ),
    Law(
        "request_without_execution",
        EXECUTIONS_UNSEEN,
        """
        SELECT id, 'the front process passed on an answer of worker ' || MIN(worker)
            || ', and no worker executed it' FROM temp.unexecuted GROUP BY id ORDER BY id
        """,
    ),
)


def check(
    db: sqlite3.Connection,
    variant: str,
    result: Result | None,
    foreign: bool = False,
    attempts: bool = True,
) -> None:
    """Write down what of a variant cannot be, comparing it with the burst's own counts too.

    Args:
        db: with its verdicts, and the temporary tables that `verdicts.find` leaves.
        variant: its name.
        result: of the burst; None without one.
        foreign: whether its server is somebody else's, whose records hold what they hold.
        attempts: whether its client keeps journals; somebody else's does not.
    """
    if result is not None and not evidence.has_gap(db, variant, ATTEMPTS_UNSEEN):
        for detail in _differences(db, variant, result):
            _report(db, Violation(variant, "attempts_differ", None, detail))
        for detail in _unlike(_acknowledged(db, variant, result)):
            _report(db, Violation(variant, "acknowledged_differ", None, detail))
    for law in LAWS:
        if (foreign and not law.of_client) or (not attempts and law.unless == ATTEMPTS_UNSEEN):
            continue
        if evidence.has_gap(db, variant, law.unless):
            continue
        others = 0
        for number, (id, detail) in enumerate(db.execute(law.query, {"variant": variant})):
            if number < LISTED:
                _report(db, Violation(variant, law.kind, id, detail))
            else:
                others += 1
        if others:
            _report(db, Violation(variant, law.kind, None, f"and {others} others"))


def violations(db: sqlite3.Connection) -> list[Violation]:
    """Give what was written down, in that order."""
    query = "SELECT variant, kind, id, detail FROM violation ORDER BY rowid"
    return [Violation(*row) for row in db.execute(query)]


def _differences(db: sqlite3.Connection, variant: str, result: Result) -> list[str]:
    query = """
        SELECT outcome, COUNT(*), COUNT(operation) FROM attempt NOT INDEXED
        WHERE variant = ? GROUP BY outcome
        """
    counted = db.execute(query, (variant,)).fetchall()
    written: dict[str, int] = {outcome: attempts for outcome, attempts, _ in counted}
    by_rpc = result.rpc or any(operations for _, _, operations in counted)
    counts = [("attempts", sum(written.values()), result.attempts)]
    counts += [
        (outcome, written.get(outcome, 0), result.outcomes.get(outcome, 0))
        for outcome in sorted(written.keys() | result.outcomes.keys())
    ]
    return _unlike([*counts, *(_operations(db, variant, result) if by_rpc else ())])


def _operations(
    db: sqlite3.Connection, variant: str, result: Result
) -> Iterator[tuple[str, int, int]]:
    """Give the activations and the calls of an rpc:// target, and those of them that are ok."""
    query = """
        SELECT operation, COUNT(*), SUM(outcome = 'ok') FROM attempt NOT INDEXED
        WHERE variant = ? AND operation IS NOT NULL GROUP BY operation
        """
    written = {name: counts for name, *counts in db.execute(query, (variant,))}
    said = result.rpc or {}
    for name in sorted(written.keys() | said.keys()):
        attempts, ok = written.get(name, (0, 0))
        theirs = said.get(name, evidence.Operation(0, 0))
        yield f"rpc.{name}", attempts, theirs.attempts
        yield f"rpc.{name}.ok", ok, theirs.ok


def _acknowledged(
    db: sqlite3.Connection, variant: str, result: Result
) -> list[tuple[str, int, int]]:
    said = result.vault.acknowledged if result.vault else evidence.Acknowledged(0, 0)
    written = acknowledged.counts(db, variant)
    return [(name, written[name], getattr(said, name)) for name in ("blocks", "snapshots")]


def _unlike(counts: Iterable[tuple[str, int, int]]) -> list[str]:
    """Say which numbers differ: name, ours, theirs."""
    return [
        f"{name}: {ours} in the client journals, {theirs} in burst.json"
        for name, ours, theirs in counts
        if ours != theirs
    ]


def _report(db: sqlite3.Connection, violation: Violation) -> None:
    db.execute("INSERT INTO violation(variant, kind, id, detail) VALUES (?, ?, ?, ?)", violation)
