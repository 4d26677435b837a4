"""What a report is made of: run.json and run.db, as one plain structure."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from vaultstorm.report import chain, clients, hresults, latency, stories, timeline
from vaultstorm.report.result import Outcome, Result
from vaultstorm.report.result import read as read_result
from vaultstorm_wire.errors import UsageError

VIOLATIONS_MAX: Final = 20
"""How many violations are listed; all are counted."""


class Variant(NamedTuple):
    """One variant, from both sources.

    Attributes:
        why: how many attempts that are not ok had which outcome and cause.
        executed: how many attempts had which outcome and verdict.
        event_log: the numbers in Windows' event log, how often, and the first entry's text.
        timeline: None if it made no attempt.
        curve: `total` by percentile.
        chain: how its vault came to hang; None if nothing led there.
        acted: how often the runner did what to its server.
        missing: what is missing from the records, in words.
    """

    name: str
    title: str
    result: Outcome
    why: tuple[tuple[str, str | None, int], ...]
    executed: tuple[tuple[str, str, int], ...]
    event_log: tuple[tuple[int, int, str], ...]
    timeline: timeline.Timeline | None
    curve: latency.Curve
    chain: chain.Chain | None
    acted: Mapping[str, int] = MappingProxyType({})
    missing: tuple[str, ...] = ()

    @property
    def outcomes(self) -> dict[str, int]:
        """How many attempts had which outcome."""
        counts: dict[str, int] = {}
        for outcome, _, attempts in self.executed:
            counts[outcome] = counts.get(outcome, 0) + attempts
        return counts

    @property
    def rpc(self) -> bool:
        """Whether its load spoke RPC."""
        return self.timeline is not None and bool(self.timeline.sides)

    @property
    def unknown(self) -> int:
        """Of how many attempts nobody knows whether they were executed."""
        return self.result.verdicts.get("unknown", 0)

    @property
    def foreign(self) -> bool:
        """Whether its server is somebody else's."""
        return self.result.server == "foreign"

    @property
    def of_vault(self) -> bool:
        """Whether there is something to say of its vault."""
        kept = self.result.acknowledged
        return bool(self.chain or self.result.vault or kept.blocks or kept.snapshots)


class Violation(NamedTuple):
    """Something that cannot be unless vaultstorm has a bug."""

    variant: str
    kind: str
    id: str | None
    detail: str | None


class Run(NamedTuple):
    """All that a report tells."""

    result: Result
    scenario: str
    variants: tuple[Variant, ...]
    violations: tuple[Violation, ...]
    violations_count: int
    stories: tuple[stories.Story, ...]
    seen: hresults.Seen | None
    """What applications saw by RPC; None if none was spoken."""
    told: tuple[clients.Told, ...] = ()
    """Requests of foreign clients."""

    @property
    def foreign(self) -> bool:
        """Whether the servers are somebody else's."""
        return any(variant.foreign for variant in self.variants)

    @property
    def client(self) -> bool:
        """Whether the client is somebody else's."""
        return any(variant.result.client is not None for variant in self.variants)

    @property
    def unwritten(self) -> bool:
        """Whether a foreign server had nobody who writes down what is executed."""
        return any("no_executions_journal" in variant.result.gaps for variant in self.variants)

    @property
    def servers(self) -> str:
        """What foreign servers say of themselves."""
        said = (variant.result.version for variant in self.variants if variant.foreign)
        return ", ".join(dict.fromkeys(filter(None, said)))


class Source(NamedTuple):
    """Where it is read from."""

    result: Result
    scenario: str
    db: sqlite3.Connection
    directory: Path


@contextlib.contextmanager
def opened(directory: Path) -> Iterator[Source]:
    """Open a finished run for reading.

    Raises:
        UsageError: there is none in `directory`, or its files are not what they should be.
    """
    path = directory / "run.db"
    result = read_result(directory / "run.json")
    scenario = _text(directory / "scenario.toml")
    if not path.is_file():
        raise UsageError(f"{directory} holds no finished run: there is no run.db in it")
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield Source(result, scenario, db, directory)
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{path} is not the database of a run: {error}") from error
    finally:
        db.close()


def read(source: Source) -> Run:
    """Read everything."""
    result, db = source.result, source.db
    found = dict(db.execute("SELECT name, title FROM variant ORDER BY position, name"))
    names = [*found, *(name for name in result.variants if name not in found)]
    return Run(
        result=result,
        scenario=source.scenario,
        variants=tuple(_variant(db, result, name, found.get(name)) for name in names),
        violations=tuple(
            Violation(*row)
            for row in db.execute(
                "SELECT variant, kind, id, detail FROM violation ORDER BY rowid LIMIT ?",
                (VIOLATIONS_MAX,),
            )
        ),
        violations_count=db.execute("SELECT count(*) FROM violation").fetchone()[0],
        stories=stories.tell(db),
        seen=hresults.read(db),
        told=clients.tell(db),
    )


def _variant(db: sqlite3.Connection, result: Result, name: str, title: str | None) -> Variant:
    said = result.variants.get(name) or _counted(db, name)
    line = timeline.build(db, name)
    return Variant(
        name=name,
        title=said.title or title or name,
        result=said,
        why=tuple(
            db.execute(
                "SELECT outcome, cause, attempts FROM why WHERE variant = ?"
                " ORDER BY outcome, attempts DESC, cause",
                (name,),
            )
        ),
        executed=tuple(
            db.execute(
                "SELECT outcome, verdict, attempts FROM executed WHERE variant = ?"
                " ORDER BY outcome, verdict",
                (name,),
            )
        ),
        event_log=tuple(
            (number, times, text)
            for number, times, text, _ in db.execute(
                "SELECT event_id, COUNT(*), COALESCE(detail, ''), MIN(rowid) FROM event"
                " WHERE variant = ? AND event_id IS NOT NULL GROUP BY event_id ORDER BY event_id",
                (name,),
            )
        ),
        timeline=line,
        curve=latency.curve(db, name),
        chain=chain.read(db, name, line.zero) if line else None,
        acted=dict(
            db.execute(
                "SELECT COALESCE(detail, ''), COUNT(*) FROM event"
                " WHERE variant = ? AND role = 'runner' AND name = 'action' GROUP BY 1",
                (name,),
            )
        ),
        missing=tuple(
            detail for (detail,) in db.execute("SELECT detail FROM gap WHERE variant = ?", (name,))
        ),
    )


def _counted(db: sqlite3.Connection, name: str) -> Outcome:
    """Count what run.json does not tell: a variant during which the run was ended."""
    row = db.execute(
        "SELECT attempts, ok, lost, unexplained FROM summary WHERE variant = ?", (name,)
    ).fetchone()
    attempts, ok, lost, unexplained = row or (0, 0, 0, 0)
    return Outcome(attempts=attempts, ok=ok, lost=lost, unexplained=unexplained)


def _text(path: Path) -> str:
    """Read what is only shown; a run without it still has its report."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
