"""The made-up run that the lab is measured with."""

from pathlib import Path

from bench import certificate, reconcile
from bench.setup import Setup


def test_a_made_up_run_is_sound(tmp_path: Path) -> None:
    """Reconciling it finds a cause for every failure, and no violation."""
    result = reconcile.measure(Setup(tmp_path, certificate.make(tmp_path), quick=True))

    row = result.row("vaultstorm")
    assert (row.value("violations"), row.value("unexplained")) == (0, 0)
    assert [check.claim for check in result.checks] == [
        "seconds",
        "peak MiB",
        "violations and unexplained",
    ]
