"""The made-up run that the lab is measured with."""

from pathlib import Path

from bench import certificate, reconcile
from bench.setup import Setup


def test_a_made_up_run_is_sound(tmp_path: Path) -> None:
    """Reconciling it finds a cause for every failure, and no violation."""
    result = reconcile.measure(Setup(tmp_path, certificate.make(tmp_path), quick=True))

    assert [row.subject for row in result.rows] == [
        f"vaultstorm, {attempts:,}" for attempts in (500, 5000, 15_000)
    ]
    for row in result.rows:
        assert (row.value("violations"), row.value("unexplained")) == (0, 0)
    claims = [check.claim for check in result.checks]
    assert claims == ["seconds", "peak MiB", "violations", "unexplained"]
