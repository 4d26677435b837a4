"""Both sides' journals joined into run.db: what caused every failure, and did it execute?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from vaultstorm.reconcile import (
    acknowledged,
    causes,
    conservation,
    database,
    evidence,
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
        results = {}
        for position, variant in enumerate(known):
            name = variant.name
            options = msgspec.json.encode(variant.options).decode()
            db.execute(
                "INSERT INTO variant VALUES (?, ?, ?, ?)", (name, position, variant.title, options)
            )
            load(db, name, directory / name / "journal")
            if variant.vault is not None:
                acknowledged.check(db, name, variant.vault)
            results[name] = evidence.read_result(directory / name / "burst.json")
        schema.index(db)
        for name, result in results.items():
            evidence.note_gaps(db, name, result)
            verdicts.find(db, name)
            causes.find(db, name)
            conservation.check(db, name, result)
        return conservation.violations(db)
