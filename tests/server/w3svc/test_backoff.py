"""The wait before the next start."""

import pytest

from vaultstorm_server.w3svc.backoff import Backoff, restart_delay


@pytest.mark.parametrize(
    "failures, delay", [(0, 0.0), (1, 0.1), (2, 0.2), (6, 3.2), (7, 5.0), (8, 5.0), (10**6, 5.0)]
)
def test_the_wait_doubles_up_to_its_limit(failures: int, delay: float) -> None:
    """A worker that served is replaced at once; from the first failed start on there is a wait."""
    assert restart_delay(failures) == pytest.approx(delay)


def test_a_start_may_be_made_when_the_wait_is_over() -> None:
    """Up to then not, from then on it may; a second failure waits longer."""
    backoff = Backoff()
    assert backoff.over(0.0)
    backoff.failed(0.0)
    assert (backoff.failures, backoff.until) == (1, 0.1)
    assert not backoff.over(0.099)
    assert backoff.over(0.1)
    assert backoff.over(0.0)
    backoff.failed(1.0)
    assert backoff.failures == 2
    assert not backoff.over(1.199)
    assert backoff.over(1.2)


def test_a_hello_ends_the_wait() -> None:
    """Nothing is remembered of the failures before."""
    backoff = Backoff()
    backoff.failed(0.0)
    backoff.clear()
    assert (backoff.failures, backoff.until) == (0, None)
    assert backoff.over(0.0)
