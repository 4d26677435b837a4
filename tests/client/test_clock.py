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
