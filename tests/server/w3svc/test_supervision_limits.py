"""The limits that recycle a worker process, or end it for idleness."""

import pytest
from msgspec.structs import replace

from tests.server.w3svc.driven import QUIET, logged, notes, started, steps
from vaultstorm_server.w3svc.recycling import Reason

GARDEN = replace(QUIET, MaxProcesses=2)
EVERY = 255
"""LogEventOnRecycle with all bits."""


@pytest.mark.parametrize(
    "limit, served, recycled", [(0, 10**9, False), (5, 4, False), (5, 5, True)]
)
def test_a_worker_is_recycled_after_so_many_requests(
    limit: int, served: int, recycled: bool
) -> None:
    """At PeriodicRestartRequests, only the one that has served them, and once; 0 is never."""
    driven = started(replace(GARDEN, PeriodicRestartRequests=limit))
    driven[1].served = served
    actions = driven.do(driven.policy.served_enough(driven[1], driven.now))
    assert (steps(actions) == ["start 3"]) is recycled
    assert driven.policy.served_enough(driven[1], driven.now) == []


@pytest.mark.parametrize("after, recycled", [(59.999, False), (60.0, True), (61.0, True)])
def test_a_worker_is_recycled_at_its_age(after: float, recycled: bool) -> None:
    """PeriodicRestartTime counts from its hello."""
    driven = started(replace(QUIET, PeriodicRestartTime=60.0))
    assert (steps(driven.tick(after)) == ["start 2"]) is recycled


def test_ages_of_a_web_garden_are_spread_out() -> None:
    """Two workers that came up together are recycled half of the time apart, then and later."""
    driven = started(replace(GARDEN, PeriodicRestartTime=60.0))
    assert steps(driven.tick(30.0)) == ["start 3"]
    driven.up(3)
    driven.exit(2)
    assert steps(driven.tick(29.999)) == []
    assert steps(driven.tick(0.001)) == ["start 4"]
    driven.up(4)
    driven.exit(1)
    assert steps(driven.tick(29.999)) == []
    assert steps(driven.tick(0.001)) == ["start 5"]


def test_memory_is_looked_at_only_if_there_is_a_limit() -> None:
    """Every PingInterval, with pings switched off too; what has too much is recycled alone."""
    driven = started(replace(GARDEN, PeriodicRestartPrivateMemory=1024))
    assert steps(driven.tick(29.999)) == []
    assert steps(driven.tick(0.001)) == ["measure 1", "measure 2"]
    assert driven.policy.measured(driven[1], 1 << 40, 1023, driven.now) == []
    assert steps(driven.tick(30.0)) == ["measure 1", "measure 2"]
    actions = driven.do(driven.policy.measured(driven[1], 0, 1024, driven.now))
    assert steps(actions) == ["start 3"]
    assert notes(actions) == ["recycle 1 (private memory)"]
    assert driven.policy.measured(driven[1], 0, 1024, driven.now) == []
    assert steps(driven.tick(30.0)) == ["measure 2"]
    assert steps(started().tick(1000.0)) == []


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("others", [False, True])
def test_the_event_log_tells_of_the_recycles_that_it_is_asked_for(
    reason: Reason, others: bool
) -> None:
    """One bit for each reason: with it there is an entry, with all the others there is none."""
    bits = EVERY - reason.bit if others else reason.bit
    driven = started(replace(GARDEN, LogEventOnRecycle=bits))
    actions = driven.do(driven.policy.recycle(reason, driven.now))
    workers: list[tuple[int | None, int | None]] = [(None, 101), (None, 102)]
    told = [(None, None)] if reason.whole_pool else workers
    assert logged(actions) == ([] if others else told)


IDLE = replace(GARDEN, IdleTimeout=60.0)


def test_an_idle_worker_ends_and_comes_back_on_demand() -> None:
    """At IdleTimeout after its last request, without an entry; a request that waits starts all."""
    driven = started(IDLE)
    driven.now += 10.0
    driven[2].active = driven.now
    assert steps(driven.tick(49.999)) == []
    actions = driven.tick(0.001)
    assert (steps(actions), logged(actions)) == (["stop 1"], [])
    assert notes(actions) == ["worker_stopping 1 (idle)"]
    assert driven.policy.wanted == 1
    assert notes(driven.exit(1)) == ["worker_stopped 1 (exit status 0)"]
    assert steps(driven.tick(10.0)) == ["stop 2"]
    assert driven.policy.wanted == 0
    driven.exit(2)
    assert driven.policy.deadline is None
    assert steps(driven.do(driven.policy.demand(driven.now))) == ["start 3", "start 4"]


def test_a_worker_that_holds_a_request_is_not_idle() -> None:
    """Its time begins anew when that is answered."""
    driven = started(replace(IDLE, MaxProcesses=1))
    driven[1].held = 1
    assert steps(driven.tick(1000.0)) == []
    driven[1].held = 0
    driven[1].active = driven.now
    assert steps(driven.tick(59.999)) == []
    assert steps(driven.tick(0.001)) == ["stop 1"]


def test_one_that_is_being_recycled_is_not_ended_for_idleness() -> None:
    """Its replacement is, in its time."""
    driven = started(replace(IDLE, MaxProcesses=1, StartupTimeLimit=1000.0))
    driven.do(driven.policy.recycle(Reason.ON_DEMAND, driven.now))
    assert steps(driven.tick(100.0)) == []
    assert steps(driven.up(2)) == ["serve 2", "stop 1"]
    driven.exit(1)
    assert steps(driven.tick(60.0)) == ["stop 2"]
    assert driven.policy.wanted == 0
