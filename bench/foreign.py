"""(k) What other people's servers lose while they are reloaded, by the scenarios that ship."""

import re
from typing import Any, Final

from bench import pages
from bench.children import ROOT
from bench.lab import Played, note
from bench.result import Column, Measurement
from bench.setup import Setup
from bench.table import figure
from vaultstorm import library
from vaultstorm.reconcile.schema import LOST
from vaultstorm.scenario import load

NAME: Final = "foreign"
PAGE: Final = ROOT / "docs" / "tasks" / "reload.md"

UNANSWERED: Final = f"""
    SELECT COUNT(*) FROM attempt
    WHERE variant = :variant AND verdict IN ('once', 'twice') AND {LOST}
"""
ACTIONS: Final = """
    SELECT COUNT(*) FROM event
    WHERE variant = :variant AND role = 'runner' AND name = 'action'
        AND detail NOT IN ('signal STOP', 'signal CONT')
"""
"""What makes the server replace its processes; that it was made to stand still does not."""
COLUMNS: Final = (
    Column("requests", "requests", 0),
    Column("lost", "lost", 0),
    Column("share", "lost %", 2),
    Column("unanswered", "executed but unanswered", 0),
    Column("unknown", "unknown", 0),
    Column("actions", "reloads asked for", 0),
)
_BETWEEN: Final = " | "


def names() -> list[str]:
    """Name the scenarios that run somebody else's server."""
    return [name for name in library.names() if load(name).foreign]


def measure(setup: Setup) -> Measurement:
    """Run every one whose server is installed; of a smoke run, the first variant."""
    result = Measurement(NAME, "other people's servers under a reload", list(COLUMNS))
    for name in names():
        first = load(name).variants[0].name
        only = (f"--variant={first}",) if setup.quick else ()
        played = note(result, name, setup.folder / NAME / name, name, *only)
        if played is None:
            continue
        for variant, told in played.variants.items():
            _add(result, name, variant, told, played)
    return result


def _add(
    result: Measurement, name: str, variant: str, told: dict[str, Any], played: Played
) -> None:
    named = server(name, told["version"])
    row = result.row(_BETWEEN.join((named, variant, told["title"])))
    attempts, lost = told["attempts"], told["lost"]
    row.add(
        requests=attempts,
        lost=lost,
        share=100 * lost / attempts if attempts else 0.0,
        unanswered=played.tally(UNANSWERED, variant),
        unknown=told["verdicts"]["unknown"],
        actions=played.tally(ACTIONS, variant),
    )


def server(name: str, version: str | None) -> str:
    """Name a server with the number in what it says of its version, each in its own way."""
    number = re.search(r"\d+(?:\.\d+)+", version or "")
    return " ".join([name.rpartition("-")[2], *([number[0]] if number else [])])


def markdown(result: Measurement) -> str:
    """Write the figures as the page has them."""
    heading = ["server", "variant", *(column.heading for column in result.columns)]
    rows = []
    for row in result.rows:
        version, _, title = row.subject.split(_BETWEEN, 2)
        figures = [figure(row.value(column.key), column.digits) for column in result.columns]
        rows.append([version, title, *figures])
    return pages.table(heading, rows)
