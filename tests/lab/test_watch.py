"""What ends a run before its time."""

import signal
import subprocess
import sys
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


def test_what_is_ignored_is_heard_by_the_programs_that_are_run() -> None:
    """A shell starts its background jobs deaf to INT and QUIT, which end some servers."""
    heard = "import signal; print(*(signal.getsignal(n) == signal.SIG_IGN for n in (1, 2, 3)))"
    numbers = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        with Watch(60) as watch:
            for number in numbers:
                signal.raise_signal(number)
            assert not watch.interrupted
            said = subprocess.run([sys.executable, "-c", heard], stdout=subprocess.PIPE, check=True)
        assert said.stdout.split() == [b"False"] * 3
        assert [signal.getsignal(number) for number in numbers] == [signal.SIG_IGN] * 3
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
