"""(f) How long the lab takes to join the records of a large run, and in how much memory."""

import sys
from typing import Final

import msgspec

from bench import journals
from bench.children import run
from bench.result import Column, Measurement
from bench.setup import Setup

NAME: Final = "reconcile"
SECONDS: Final = 60.0
PEAK_MIB: Final = 1024.0
"""The limits of the issue, for a million attempts."""


def measure(setup: Setup) -> Measurement:
    """Write the journals of a run, and reconcile them in a process of its own."""
    attempts = setup.size(1_000_000, 20_000)
    folder = setup.folder / NAME
    journals.write(folder / "large", attempts)
    size = sum(path.stat().st_size for path in (folder / "large" / "journal").iterdir())
    result = Measurement(
        NAME,
        f"journals of {attempts:,} attempts ({size / 2**20:,.0f} MiB) joined into run.db",
        [
            Column("seconds", "s"),
            Column("peak_mib", "peak MiB"),
            Column("db_mib", "run.db MiB"),
            Column("violations", "violations", 0),
            Column("unexplained", "unexplained", 0),
        ],
    )
    command = [sys.executable, "-m", "bench.reconciler", str(folder), "large"]
    said = msgspec.json.decode(run(command, 300).output)
    row = result.row("vaultstorm")
    row.add(
        seconds=said["seconds"],
        peak_mib=said["peak_mib"],
        db_mib=(folder / "run.db").stat().st_size / 2**20,
        violations=said["violations"],
        unexplained=said["summary"]["unexplained"],
    )
    result.hold("seconds", row.value("seconds"), SECONDS)
    result.hold("peak MiB", row.value("peak_mib"), PEAK_MIB)
    result.hold(
        "violations and unexplained", said["violations"] + said["summary"]["unexplained"], 0
    )
    return result
