"""What a report is made of: run.json and run.db, as one plain structure."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from vaultstorm.report import chain, hresults, latency, stories, timeline
from vaultstorm_wire.errors import UsageError

VIOLATIONS_MAX: Final = 20
"""How many violations are listed; all are counted."""


class Expectation(msgspec.Struct, frozen=True):
    """One check of a variant, and how it came out."""

    check: str
    passed: bool
    actual: Any = None
    against: Any = None
    """The other side's number, of a comparison."""


class Acknowledged(msgspec.Struct, frozen=True):
    """What the vault has acknowledged, and what of it was not found as it was."""

    blocks: int = 0
    snapshots: int = 0
    lost: int = 0
    changed: int = 0


class Verified(msgspec.Struct, frozen=True):
    """What the agents read back, byte for byte."""

    blocks: int = 0
    snapshots: int = 0


class Given(msgspec.Struct, frozen=True):
    """What the vault has acknowledged, as the agents count it."""

    bytes: int = 0


class Vault(msgspec.Struct, frozen=True):
    """What the agents have found."""

    agents: int = 0
    acknowledged: Given = Given()
    verified: Verified = Verified()
    lost: int = 0
    corrupt: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What run.json says about one variant."""

    attempts: int = 0
    ok: int = 0
    lost: int = 0
    unexplained: int = 0
    expectations: tuple[Expectation, ...] = ()
    title: str = ""
    latency_ms: dict[str, dict[str, float] | None] = {}
    seed: int | None = None
    duration_s: float | None = None
    options: Any = None
    gaps: dict[str, int] = {}
    """What is missing from its records."""
    vault: Vault | None = None
    """None without agents."""
    acknowledged: Acknowledged = Acknowledged()
    findings: tuple[str, ...] = ()
    """What became of acknowledged data that it must not."""


class Result(msgspec.Struct, frozen=True):
    """What run.json says about the whole run."""

    scenario: str
    passed: bool
    variants: dict[str, Outcome]
    title: str = ""
    article: str = ""
    breaks: str = ""
    why: str = ""
    fixes: str = ""
    cut: str | None = None
    """Why the run did not come to its end."""


class Variant(NamedTuple):
    """One variant, from both sources.

    Attributes:
        why: how many attempts that are not ok had which outcome and cause.
        executed: how many attempts had which outcome and verdict.
        event_log: the numbers in Windows' event log, how often, and the first entry's text.
        timeline: None if it made no attempt.
        curve: `total` by percentile.
        chain: how its vault came to hang; None if nothing led there.
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
    result = _result(directory / "run.json")
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
    )


def _counted(db: sqlite3.Connection, name: str) -> Outcome:
    """Count what run.json does not tell: a variant during which the run was ended."""
    row = db.execute(
        "SELECT attempts, ok, lost, unexplained FROM summary WHERE variant = ?", (name,)
    ).fetchone()
    attempts, ok, lost, unexplained = row or (0, 0, 0, 0)
    return Outcome(attempts=attempts, ok=ok, lost=lost, unexplained=unexplained)


def _result(path: Path) -> Result:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except FileNotFoundError as error:
        raise UsageError(
            f"{path.parent} holds no finished run: there is no {path.name} in it"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not the result of a run: {error}") from error


def _text(path: Path) -> str:
    """Read what is only shown; a run without it still has its report."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
