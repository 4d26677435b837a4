"""A scenario as the lab runs it, for the measurements that are made of its results."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.children import PYTHON, BenchError, run
from bench.result import Measurement

_PATIENCE_S: Final = 600.0
_PLAYED: Final = (0, 1, 4)
"""The last with a result: its records contradict each other, which `Played.violations` counts."""
_CANNOT: Final = 3


class Played(NamedTuple):
    """A run that came to its end, and where everything of it lies."""

    result: dict[str, Any]
    out: Path

    @property
    def variants(self) -> dict[str, dict[str, Any]]:
        """What came of each variant."""
        found: dict[str, dict[str, Any]] = self.result["variants"]
        return found

    @property
    def violations(self) -> int:
        """How often its records contradict each other: bugs of ours, and none is right."""
        return len(self.result["violations"])

    def tally(self, query: str, variant: str) -> int:
        """Count in run.db, of one variant."""
        where = f"file:{self.out / 'run.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(where, uri=True)) as db:
            (number,) = db.execute(query, {"variant": variant}).fetchone()
        return int(number)


def play(out: Path, name: str, *options: str) -> Played | str:
    """Run a scenario; give why it cannot be run here, if that is so.

    Raises:
        BenchError: it failed in another way.
    """
    command = [PYTHON, "-m", "vaultstorm", "run", name, "--json=-", f"--out={out}", *options]
    ended = run(command, _PATIENCE_S)
    if ended.code == _CANNOT:
        return ended.errors.rpartition("\n")[2].removeprefix("vaultstorm: ")
    if ended.code not in _PLAYED or not ended.output:
        raise BenchError(f"vaultstorm run {name} ended with {ended.code}: {ended.errors}")
    try:
        return Played(json.loads(ended.output), out)
    except ValueError as error:
        raise BenchError(
            f"vaultstorm run {name} printed no JSON: {ended.output[:200]!r}"
        ) from error


def note(result: Measurement, subject: str, out: Path, name: str, *options: str) -> Played | None:
    """Run a scenario as part of a measurement that goes on without it.

    Returns:
        What came of it; None if there is nothing, of which a note tells.
    """
    try:
        played = play(out, name, *options)
    except BenchError as error:
        result.notes.append(f"{subject}: {error}")
        result.hold(f"{subject} came to its end", 0, 1, at_most=False)
        return None
    if isinstance(played, str):
        result.notes.append(f"{subject}: {played}")
        return None
    if played.violations:
        result.hold(f"{subject}: records that contradict each other", played.violations, 0)
    return played
