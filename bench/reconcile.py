"""How long the lab takes to join the records of a large run, and in how much memory."""

import shutil
import sys
from typing import Final

import msgspec

from bench import journals
from bench.children import BenchError, run
from bench.result import Column, Growth, Measurement
from bench.setup import Setup

NAME: Final = "reconcile"
_LONGEST_S: Final = 600.0
ROUNDS: Final = 3
SECONDS: Final = 20.0
PEAK_MIB: Final = 600.0
"""The limits of the issue, for a million attempts."""


def measure(setup: Setup) -> Measurement:
    """Write the journals of each run, and reconcile them in a process of its own."""
    sizes = setup.sizes(1_000_000, 5000)
    result = Measurement(
        NAME,
        f"journals of a run joined into run.db (of {sizes[1]:,} attempts the median of "
        f"{setup.size(ROUNDS, 1)})",
        [
            Column("seconds", "s"),
            Column("us", "us/attempt"),
            Column("peak_mib", "peak MiB"),
            Column("journals_mib", "journals MiB", 0),
            Column("db_mib", "run.db MiB", 0),
            Column("violations", "violations", 0),
            Column("unexplained", "unexplained", 0),
        ],
        growth=Growth("attempts", "us/attempt"),
    )
    for attempts in sizes:
        for _ in range(setup.size(ROUNDS, 1) if attempts == sizes[1] else 1):
            _joined(result, setup, attempts)
    row = result.row(_name(sizes[1]))
    result.hold("seconds", row.value("seconds"), SECONDS)
    result.hold("peak MiB", row.value("peak_mib"), PEAK_MIB)
    for key in ("violations", "unexplained"):
        result.hold(key, sum(row.value(key) or 0 for row in result.rows), 0)
    return result


def _name(attempts: int) -> str:
    return f"vaultstorm, {attempts:,}"


def _joined(result: Measurement, setup: Setup, attempts: int) -> None:
    folder = setup.folder / NAME / str(attempts)
    journals.write(folder / "large", attempts)
    size = sum(path.stat().st_size for path in (folder / "large" / "journal").iterdir())
    command = [sys.executable, "-m", "bench.reconciler", str(folder), "large"]
    finished = run(command, _LONGEST_S)
    if finished.code:
        raise BenchError(f"reconcile of {attempts:,}: {finished.errors}")
    said = msgspec.json.decode(finished.output)
    us = said["seconds"] / attempts * 1e6
    result.row(_name(attempts)).add(
        seconds=said["seconds"],
        us=us,
        peak_mib=said["peak_mib"],
        journals_mib=size / 2**20,
        db_mib=(folder / "run.db").stat().st_size / 2**20,
        violations=said["violations"],
        unexplained=said["summary"]["unexplained"],
    )
    assert result.growth is not None
    result.growth.add("vaultstorm", attempts, us)
    shutil.rmtree(folder)
