"""The clock."""

import time

import pytest

from vaultstorm_client.clock import epoch, monotonic


def test_epoch() -> None:
    """An instant is wall time to the microsecond, as far from another as monotonic time says."""
    instant = monotonic()
    assert epoch(instant) == pytest.approx(time.time(), abs=60)
    assert epoch(instant + 5) - epoch(instant) == pytest.approx(5, abs=1e-5)
    assert epoch(instant) == round(epoch(instant), 6)


def test_rounding() -> None:
    """The nearest microsecond is meant: its text has six decimals at most."""
    for micros in (0, 1, 499_999, 500_000, 999_999):
        for off in (-4e-7, 0.0, 4e-7):
            near = epoch(float(1 << 20) + micros / 1e6 + off) - epoch(float(1 << 20))
            assert near == pytest.approx(micros / 1e6, abs=1.5e-6)
            assert len(repr(epoch(micros / 1e6 + off)).partition(".")[2]) <= 6
