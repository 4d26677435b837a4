"""What ends a run before its time."""

import signal
from collections.abc import Iterator

import pytest

from vaultstorm.watch import Cut, Watch


def test_nothing_happens() -> None:
    """While there is time and no signal, a run goes on; handlers are put back."""
    before = signal.getsignal(signal.SIGTERM)
    with Watch(60) as watch:
        watch.check()
        assert (watch.reason, watch.interrupted) == (None, False)
        assert 0 < watch.left <= 60
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_time_limit() -> None:
    """It is reached at its moment, and says how long it was."""
    with Watch(0) as watch, pytest.raises(Cut, match=r"^the time limit of 0 s was reached$"):
        watch.check()
    assert watch.left == 0


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Have no signal ignored, whatever the tests were started behind."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_noted(number: signal.Signals) -> None:
    """The run hears of it where it asks, and nowhere else."""
    with Watch(60) as watch:
        signal.raise_signal(number)
        assert watch.interrupted
        with pytest.raises(Cut, match=r"^interrupted$"):
            watch.check()


def test_the_second_signal_is_raised_and_the_third_ignored() -> None:
    """Whoever insists gets out at once, and cannot keep the run from reaping its processes."""
    with Watch(60):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)


def test_what_was_ignored_stays_ignored() -> None:
    """Behind nohup a run outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Watch(60) as watch:
            signal.raise_signal(signal.SIGHUP)
            assert not watch.interrupted
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
