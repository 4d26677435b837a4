"""The health of a worker process, and the limits that recycle it."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.server.w3svc.driven import QUIET, Driven, logged, notes, started, steps
from vaultstorm_server.w3svc import actions as asked
from vaultstorm_server.w3svc.actions import Action
from vaultstorm_server.w3svc.recycling import Reason
from vaultstorm_server.w3svc.states import State

PINGED = replace(QUIET, PingingEnabled=1)


def test_a_worker_is_pinged_and_lives_while_it_answers() -> None:
    """Every PingInterval from its hello on; a late answer puts the next ping off."""
    driven = started(PINGED)
    assert steps(driven.tick(29.999)) == []
    assert steps(driven.tick(0.001)) == ["ping 1"]
    assert steps(driven.tick(59.999)) == []
    assert pong(driven, 1) == []
    assert steps(driven.tick(0.0)) == ["ping 1"]
    assert pong(driven, 1) == []
    assert steps(driven.tick(29.999)) == []
    assert steps(driven.tick(0.001)) == ["ping 1"]


def pong(driven: Driven, number: int, unhealthy: str | None = None) -> list[str]:
    """Let a worker answer; say what is done."""
    driven.models[driven[number]].pinged = False
    return steps(driven.do(driven.policy.pong(driven[number], unhealthy, driven.now)))


def test_a_worker_that_does_not_answer_is_killed() -> None:
    """At PingResponseTime and not before: 1010, and another takes its place at once."""
    driven = started(PINGED)
    driven.tick(30.0)
    assert steps(driven.tick(59.999)) == []
    actions = driven.tick(0.001)
    assert steps(actions) == ["drop 1", "kill 1", "start 2"]
    assert logged(actions) == [(1010, 101)]
    actions = driven.exit(1, "SIGKILL", -9)
    assert (logged(actions), notes(actions)) == ([], ["worker_died 1 (SIGKILL)"])
    assert driven.policy.deaths == 1


def test_pings_switched_off_are_not_missed() -> None:
    """An answer is none too late then; switched on again, it has its whole time."""
    driven = started(replace(PINGED, DisallowRotationOnConfigChange=1))
    driven.tick(30.0)
    off = replace(driven.settings, PingingEnabled=0)
    driven.do(driven.policy.configure(off, driven.now))
    assert steps(driven.tick(1000.0)) == []
    driven.do(driven.policy.configure(driven.settings, driven.now))
    assert steps(driven.tick(59.999)) == []
    assert steps(driven.tick(0.001)) == ["drop 1", "kill 1", "start 2"]


def slow_start(driven: Driven) -> list[Action]:
    """Start a worker that says nothing."""
    driven.exit(1, "SIGTERM", -15)
    driven.policy.start(driven.now)
    return driven.tick(90.0)


def slow_end(driven: Driven) -> list[Action]:
    """Tell a worker to end, which it does not."""
    driven.do(driven.policy.recycle(Reason.ON_DEMAND, driven.now))
    driven.up(2)
    return driven.tick(90.0)


def test_the_limits_of_a_start_and_of_an_end() -> None:
    """Just before the limit nothing happens; at the limit the worker is killed, and it counts."""
    for act, number, event in ((slow_start, 2, 1012), (slow_end, 1, 1013)):
        driven = started()
        actions = act(driven)
        assert logged(actions) == [(event, 100 + number)]
        assert steps(actions)[:2] == [f"drop {number}", f"kill {number}"]
        assert driven.policy.failures == (event == 1012)
        assert logged(driven.exit(number, "SIGKILL", -9)) == []
    driven = started()
    driven.do(driven.policy.recycle(Reason.ON_DEMAND, driven.now))
    assert logged(driven.tick(89.999)) == []
    driven.up(2)
    assert logged(driven.tick(89.999)) == []
    assert logged(driven.tick(0.001)) == [(1013, 101)]


def ends_its_channel(driven: Driven) -> list[Action]:
    """End the channel of a worker, and not the worker."""
    assert steps(driven.do(driven.policy.lost(driven[1], "EOF", driven.now, False))) == ["drop 1"]
    assert driven.tick(0.999) == []
    return driven.tick(0.001)


def does_not_answer(driven: Driven) -> list[Action]:
    """Ping a worker that hangs."""
    return driven.tick(90.0)


def talks_nonsense(driven: Driven) -> list[Action]:
    """Let a worker say what is no message."""
    return driven.do(driven.policy.lost(driven[1], "no frame", driven.now, True))


FAILURES: list[tuple[Callable[[Driven], list[Action]], int]] = [
    (does_not_answer, 1010),
    (ends_its_channel, 1011),
    (talks_nonsense, 1011),
    (slow_start, 1012),
    (slow_end, 1013),
]


@pytest.mark.parametrize("act, event", FAILURES)
def test_each_failure_counts_once(act: Callable[[Driven], list[Action]], event: int) -> None:
    """With RapidFailProtectionMaxCrashes 1 it turns the pool off."""
    settings = PINGED if act is does_not_answer else QUIET
    most = 2 if act is slow_start else 1  # the crash before it is the first
    driven = started(replace(settings, RapidFailProtectionMaxCrashes=most))
    actions = act(driven)
    assert [number for number, _ in logged(actions)] == [event, 1002]
    assert "refuse AppOffline" in steps(actions)


@pytest.mark.parametrize("act, event", FAILURES)
def test_a_failed_worker_may_be_let_go_of(
    act: Callable[[Driven], list[Action]], event: int
) -> None:
    """With OrphanWorkerProcess it is not killed; it is none of the pool's any more."""
    settings = PINGED if act is does_not_answer else QUIET
    driven = started(replace(settings, OrphanWorkerProcess=1))
    deaths = 2 if act is slow_start else 1
    actions = act(driven)
    assert (event, driven.policy.deaths) == (logged(actions)[0][0], deaths)
    (orphan,) = [action.worker for action in actions if isinstance(action, asked.Orphan)]
    assert f"worker_orphaned {orphan.number}" in notes(actions)
    assert orphan.state is State.DEAD
    assert not any(isinstance(action, asked.Kill) for action in actions)
    assert driven.exit(orphan.number) == []


def test_a_crash_leaves_nothing_to_let_go_of() -> None:
    """An exit is an exit."""
    driven = started(replace(QUIET, OrphanWorkerProcess=1))
    actions = driven.exit(1, "SIGSEGV", -11)
    assert (steps(actions), logged(actions)) == (["drop 1", "start 2"], [(1009, 101)])


def test_a_lost_worker_keeps_its_place_until_it_has_told_how_it_ended() -> None:
    """Its exit within the second is a crash like any other, and starts the next."""
    driven = started()
    driven.do(driven.policy.lost(driven[1], "EOF", driven.now, False))
    driven.tick(0.5)
    actions = driven.exit(1, "exit status 0", 0)
    assert (steps(actions), logged(actions)) == (["start 2"], [(1009, 101)])


def test_a_worker_that_ends_as_told_may_close_its_channel_first() -> None:
    """It has the rest of ShutdownTimeLimit for its exit, and that is no failure."""
    driven = started()
    driven.do(driven.policy.recycle(Reason.ON_DEMAND, driven.now))
    driven.up(2)
    driven.tick(10.0)
    assert steps(driven.do(driven.policy.lost(driven[1], "EOF", driven.now, False))) == ["drop 1"]
    assert steps(driven.tick(79.0)) == []
    actions = driven.exit(1)
    assert (steps(actions), notes(actions)) == ([], ["worker_stopped 1 (exit status 0)"])


@pytest.mark.parametrize("how, status", [("exit status 1", 1), ("SIGKILL", -9)])
def test_a_worker_told_to_end_that_crashes_has_crashed(how: str, status: int) -> None:
    """Only exit status 0 is what was asked for."""
    driven = started()
    driven.do(driven.policy.recycle(Reason.ON_DEMAND, driven.now))
    driven.up(2)
    actions = driven.exit(1, how, status)
    assert logged(actions) == [(1009, 101)]
    assert notes(actions) == [f"worker_died 1 ({how})"]


def test_what_a_worker_cannot_say_costs_it_its_life() -> None:
    """A second hello, and a pong that nobody asked for, before and after it is told to end."""
    for say in ("hello", "pong"):
        for stopping in (False, True):
            driven = started()
            if stopping:
                driven.do(driven.policy.stop(driven.now, "N/A"))
            actions = driven.up(1) if say == "hello" else _unasked(driven)
            assert steps(actions)[:2] == ["drop 1", "kill 1"]
            assert logged(actions) == [(1011, 101)]


def _unasked(driven: Driven) -> list[Action]:
    return driven.do(driven.policy.pong(driven[1], None, driven.now))


def test_a_pong_before_the_hello_is_nonsense() -> None:
    """The next start has to wait, as after every start that came to nothing."""
    driven = Driven()
    driven.do(driven.policy.start(driven.now))
    actions = _unasked(driven)
    assert (steps(actions), logged(actions)) == (["drop 1", "kill 1"], [(1011, 101)])
    assert driven.policy.failures == 1


def test_one_that_is_lost_or_dead_says_nothing_any_more() -> None:
    """Whatever still comes of it is too late to mean anything."""
    driven = started()
    driven.do(driven.policy.lost(driven[1], "no frame", driven.now, True))
    for _ in ("killed", "dead"):
        assert driven.policy.hello(driven[1], driven.now) == []
        assert driven.policy.pong(driven[1], None, driven.now) == []
        assert driven.policy.lost(driven[1], "EOF", driven.now, False) == []
        assert driven.policy.lost(driven[1], "no frame", driven.now, True) == []
        assert driven.policy.measured(driven[1], 1 << 40, 1 << 40, driven.now) == []
        assert driven.policy.served_enough(driven[1], driven.now) == []
        if driven[1].state is not State.DEAD:
            driven.exit(1, "SIGKILL", -9)
    assert driven.policy.exited(driven[1], "SIGKILL", -9, driven.now) == []
    assert driven.policy.not_started(driven[1], "?", driven.now) == []


def test_a_pong_of_one_that_was_told_to_end_is_in_order() -> None:
    """It was pinged while it served."""
    driven = started(PINGED)
    driven.tick(30.0)
    driven.do(driven.policy.stop(driven.now, "N/A"))
    assert pong(driven, 1, "unhealthy") == []
    assert driven[1].state is State.SHUTTING_DOWN


@pytest.mark.parametrize("reason, number", [("leak", 2262), ("", 2263)])
def test_an_unhealthy_isapi_has_its_worker_recycled(reason: str, number: int) -> None:
    """It is told in the event log, once, whatever LogEventOnRecycle says."""
    driven = started(PINGED)
    driven.tick(30.0)
    actions = driven.do(driven.policy.pong(driven[1], reason, driven.now))
    assert (steps(actions), logged(actions)) == (["start 2"], [(number, 101)])
    assert notes(actions) == ["recycle 1 (isapi unhealthy)"]
    driven.models[driven[1]].pinged = False
    driven.tick(30.0)
    assert driven.do(driven.policy.pong(driven[1], reason, driven.now)) == []
