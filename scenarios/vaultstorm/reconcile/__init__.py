"""Both sides' journals joined into run.db: what caused every failure, and did it execute?"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from vaultstorm.reconcile import (
    acknowledged,
    causes,
    client,
    conservation,
    database,
    evidence,
    foreign,
    schema,
    verdicts,
)
from vaultstorm.reconcile.conservation import Violation
from vaultstorm.reconcile.database import existing
from vaultstorm.reconcile.load import load
from vaultstorm.reconcile.summary import summarise

__all__ = ["Variant", "Violation", "existing", "reconcile", "summarise"]


class Variant(NamedTuple):
    """What run.db says about a variant beside its records."""

    name: str
    """The folder of its records, too."""
    title: str = ""
    options: Mapping[str, Any] = {}
    """What differs from the other variants."""
    vault: Path | None = None
    """Where its vault kept what it has acknowledged; None if that cannot be looked for."""
    server: str = "vaultstorm"
    """``foreign``, if it is somebody else's: only its application or its log can keep a journal."""
    client: str = "burst"
    """``foreign``, if it is somebody else's: the server alone keeps journals then."""


def reconcile(directory: Path, variants: Sequence[str | Variant]) -> list[Violation]:
    """Write DIRECTORY/run.db from the journals in DIRECTORY/VARIANT/journal.

    Args:
        directory: of a run.
        variants: in the order in which they are shown.

    Returns:
        What cannot be if we have no bug; empty if all adds up.

    Raises:
        MachineError: a journal cannot be read, or run.db not written; a run.db that was there
            stands then.
    """
    with database.fresh(directory) as db:
        schema.create(db)
        known = [Variant(given) if isinstance(given, str) else given for given in variants]
        results: list[tuple[Variant, evidence.Result | None]] = []
        for position, variant in enumerate(known):
            name = variant.name
            options = msgspec.json.encode(variant.options).decode()
            db.execute(
                "INSERT INTO variant VALUES (?, ?, ?, ?, ?, ?)",
                (name, position, variant.title, options, variant.server, variant.client),
            )
            load(db, name, directory / name / "journal")
            if variant.vault is not None:
                acknowledged.check(db, name, variant.vault)
            if variant.client == client.FOREIGN:
                client.note(db, name, directory / name / "client.json")
            results.append((variant, evidence.read_result(directory / name / "burst.json")))
        schema.index(db)
        for variant, result in results:
            _judge(db, variant, result)
        return conservation.violations(db)


def _judge(db: sqlite3.Connection, variant: Variant, result: evidence.Result | None) -> None:
    """Give the attempts of a variant their verdicts and causes, and look for what cannot be."""
    name, by_others = variant.name, variant.server == foreign.FOREIGN
    if by_others:
        foreign.settle(db, name)
    evidence.note_gaps(db, name, foreign.GAPS if by_others else evidence.GAPS)
    attempts = variant.client != client.FOREIGN
    if result is None and attempts:
        evidence.note_gap(db, name, "no_result", "no burst.json")
    verdicts.find(db, name, by_others)
    causes.find(db, name, by_others)
    conservation.check(db, name, result, by_others, attempts)
