"""The loop: events, deadlines and their order."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from vaultstorm_client.clock import monotonic
from vaultstorm_client.loop import BOTH, NEVER, READ, Loop


class Noted:
    """Writes down what the loop calls."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.deadline = self.armed = NEVER
        self.name = name
        self.log = log

    def ready(self) -> None:
        """Note an event."""
        self.log.append(f"{self.name} ready")

    def expired(self, now: float) -> None:
        """Note a deadline."""
        assert self.deadline == NEVER
        self.log.append(f"{self.name} expired")


@pytest.fixture
def loop() -> Iterator[Loop]:
    """Make a loop."""
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def log() -> list[str]:
    """Make an empty log."""
    return []


def past(loop: Loop, seconds: float = 0.0) -> None:
    """Run the loop until so many seconds have passed."""
    until = monotonic() + seconds
    loop.run_once(until)
    while monotonic() < until:
        loop.run_once(until)


def test_deadlines_in_order(loop: Loop, log: list[str]) -> None:
    """Deadlines that have passed are called in their order, once."""
    now = monotonic()
    for name, ago in (("b", 2.0), ("c", 1.0), ("a", 3.0)):
        loop.set_deadline(Noted(name, log), now - ago)
    past(loop)
    past(loop)
    assert log == ["a expired", "b expired", "c expired"]


def test_a_deadline_that_has_not_passed(loop: Loop, log: list[str]) -> None:
    """What is due later is not called now."""
    loop.set_deadline(Noted("a", log), monotonic() + 60)
    past(loop)
    assert log == []


@pytest.mark.parametrize(
    "first, then, called", [(60.0, -1.0, 1), (-1.0, 60.0, 0), (-1.0, NEVER, 0)]
)
def test_a_deadline_moved(
    loop: Loop, log: list[str], first: float, then: float, called: int
) -> None:
    """A deadline can come nearer, go farther, and be cancelled."""
    handler, now = Noted("a", log), monotonic()
    loop.set_deadline(handler, now + first)
    loop.set_deadline(handler, now + then)
    past(loop)
    past(loop)
    assert len(log) == called


def test_a_deadline_moved_farther_is_kept(loop: Loop, log: list[str]) -> None:
    """One that went farther is called when it is due, after its old entry was passed over."""
    handler, now = Noted("a", log), monotonic()
    loop.set_deadline(handler, now - 1)
    loop.set_deadline(handler, now + 0.02)
    loop.run_once(now)
    past(loop, 0.03)
    assert log == ["a expired"]


def test_a_deadline_back_and_forth(loop: Loop, log: list[str]) -> None:
    """However often it is moved, it is called once for the last time it was set."""
    handler, now = Noted("a", log), monotonic()
    for offset in (60.0, -1.0, 60.0, -2.0, NEVER, -0.5):
        loop.set_deadline(handler, now + offset)
    past(loop)
    past(loop)
    assert log == ["a expired"]


def test_events_come_before_deadlines(loop: Loop, log: list[str]) -> None:
    """Who has both an event and a passed deadline gets the event first, and can cancel."""

    class Answered(Noted):
        def ready(self) -> None:
            super().ready()
            loop.set_deadline(self, NEVER)

    end, other = os.pipe()
    handler = Answered("a", log)
    loop.set_deadline(handler, monotonic() - 1)
    loop.watch(end, READ, handler)
    os.write(other, b"x")
    past(loop)
    assert log == ["a ready"]
    loop.forget(end)
    os.close(end)
    os.close(other)


@pytest.mark.parametrize("handlers", [255, 256, 257, 600])
def test_many_handlers(loop: Loop, log: list[str], handlers: int) -> None:
    """However many are ready all the time, all get their events before a deadline counts."""
    with ExitStack() as stack:
        for number in range(handlers):
            end, other = os.pipe()
            stack.callback(os.close, end)
            stack.callback(os.close, other)
            os.write(other, b"x")
            loop.watch(end, READ, Noted(str(number), log))
        loop.set_deadline(Noted("late", log), monotonic() - 1)
        for _ in range(2 + handlers // 256):
            loop.run_once(0.0)
        before = log[: log.index("late expired")]
        assert set(before) == {f"{number} ready" for number in range(handlers)}
        assert len(loop) == handlers


def test_watching(loop: Loop, log: list[str]) -> None:
    """Events are those asked for, until forgotten."""
    end, other = os.pipe()
    loop.watch(other, READ, Noted("a", log))
    past(loop)
    assert log == []
    loop.modify(other, BOTH)
    past(loop)
    assert log == ["a ready"]
    assert len(loop) == 1
    loop.forget(other)
    loop.forget(other)
    assert loop.idle
    past(loop)
    assert log == ["a ready"]
    os.close(end)
    os.close(other)


def test_handed_over(loop: Loop, log: list[str]) -> None:
    """What is watched can change hands, and is then the other's to forget."""
    end, other = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, end)
        stack.callback(os.close, other)
        os.write(other, b"x")
        loop.watch(end, READ, Noted("a", log))
        loop.run_once()
        loop.hand_over(end, Noted("b", log))
        loop.run_once()
        assert log == ["a ready", "b ready"]
        assert len(loop) == 1
        loop.forget(end)
        assert loop.idle


def test_soon(loop: Loop, log: list[str]) -> None:
    """Who asks for a turn gets one in the next turn, not in this one."""

    class Again(Noted):
        def expired(self, now: float) -> None:
            super().expired(now)
            loop.soon(self)

    loop.soon(Again("a", log))
    for turns in (1, 2, 3):
        loop.run_once()
        assert log == ["a expired"] * turns
    assert not loop.idle


def test_soon_cancels_a_deadline(loop: Loop, log: list[str]) -> None:
    """A turn that was asked for takes the place of a deadline."""
    handler = Noted("a", log)
    loop.set_deadline(handler, monotonic() - 1)
    loop.soon(handler)
    past(loop)
    past(loop)
    assert log == ["a expired"]
