"""(j) TECH39579 by other seeds than the one that ships, and the fix under load for a minute.

Not among the measurements that are made by default: it takes a quarter of an hour.
"""

import sqlite3
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.result import Column, Measurement
from bench.setup import Setup
from vaultstorm import runner
from vaultstorm.scenario import Variant, load

NAME: Final = "hang"
SCENARIO: Final = "vault-reentrance"
SEEDS: Final = 20
HANGS_WITHIN_S: Final = 60.0
BROKEN_S: Final = 40
"""Longer than it ships: not every seed has a large block among its first."""
FIXED_S: Final = 60
EVENTS: Final = ("wrong_release", "clean_up_died", "table_full", "pool_hung")


def measure(setup: Setup) -> Measurement:
    """Run `broken` with one seed after the other, and then `fixed` for longer than it ships."""
    result = Measurement(
        NAME,
        f"{SCENARIO}: seconds from the start of the load",
        [
            *(Column(name, name.replace("_", " ")) for name in EVENTS),
            Column("attempts", "attempts", 0),
            Column("lost", "lost", 0),
            Column("failed", "not passed", 0),
        ],
    )
    for seed in range(1, setup.size(SEEDS, 1) + 1):
        _run(setup, result, "broken", seed, f"{BROKEN_S}s")
    _run(setup, result, "fixed", None, f"{setup.size(FIXED_S, 3)}s")
    hung = [row.value("pool_hung") or float("inf") for row in result.rows if row.note == "broken"]
    result.hold("s to the hang, at most", max(hung), HANGS_WITHIN_S)
    failed = sum(row.value("failed") or 0 for row in result.rows)
    result.hold("runs in which an expectation did not hold", failed, 0)
    return result


def _run(setup: Setup, result: Measurement, variant: str, seed: int | None, duration: str) -> None:
    shipped = load(SCENARIO)
    variants = tuple(_lasting(one, duration) for one in shipped.variants)
    scenario = msgspec.structs.replace(shipped, variants=variants)
    name = variant if seed is None else f"{variant}, seed {seed}"
    out = setup.folder / NAME / name.replace(", seed ", "-")
    outcome = runner.run(scenario, runner.Options((variant,), out, seed=seed))
    found: dict[str, Any] = outcome.result["variants"][variant]
    row = result.row(name)
    row.note = variant
    row.add(attempts=found["attempts"], lost=found["lost"], failed=not found["passed"])
    row.add(**_moments(out / "run.db"))
    print(f"  {name}: done", file=sys.stderr, flush=True)


def _lasting(variant: Variant, duration: str) -> Variant:
    return msgspec.structs.replace(variant, load={**variant.load, "duration": duration})


def _moments(database: Path) -> dict[str, float]:
    """Give when each of the events came first, in seconds from the start of the load."""
    with sqlite3.connect(database) as db:
        (zero,) = db.execute("SELECT MIN(time) FROM attempt").fetchone()
        rows = db.execute("SELECT name, MIN(time) FROM event GROUP BY name").fetchall()
    return {name: time - zero for name, time in rows if name in EVENTS}
