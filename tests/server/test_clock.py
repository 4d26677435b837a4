"""The server's clock."""

import time

from vaultstorm_server import clock


def test_it_counts_from_1970_and_never_steps_back() -> None:
    """Two looks are in order, and lie where the wall clock has them."""
    first, second = clock.now(), clock.now()
    assert first <= second
    assert abs(first - time.time()) < 3600
