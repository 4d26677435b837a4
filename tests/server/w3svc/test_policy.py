"""The policy of an application pool: its processes, and what becomes of it."""

import pytest
from msgspec.structs import replace

from tests.server.w3svc.driven import QUIET, Driven, logged, notes, started, steps
from vaultstorm_server.w3svc.recycling import Reason
from vaultstorm_server.w3svc.states import State

GARDEN = replace(QUIET, MaxProcesses=2)
NON_OVERLAPPED = replace(QUIET, DisallowOverlappingRotation=1)
ON_DEMAND = Reason.ON_DEMAND


def test_a_pool_starts_all_its_processes_and_serves_with_the_first() -> None:
    """Requests may wait from the start on; each worker serves from its hello on."""
    driven = Driven(GARDEN)
    assert not driven.policy.enabled
    assert driven.policy.deadline is None
    actions = driven.do(driven.policy.start(driven.now))
    assert steps(actions) == ["admit", "start 1", "start 2"]
    assert notes(actions) == ["pool_started"]
    assert driven.policy.start(driven.now) == []
    actions = driven.up(2)
    assert steps(actions) == ["serve 2"]
    assert notes(actions) == ["worker_serving 2"]
    assert repr(driven.policy) == (
        "<PoolPolicy DefaultAppPool, running: 101 starting, 102 serving>"
    )


def test_demand_start_waits_for_a_request() -> None:
    """With DemandStart nothing is started before; the first request starts all, once."""
    driven = Driven(replace(GARDEN, DemandStart=1))
    assert steps(driven.do(driven.policy.start(driven.now))) == ["admit"]
    assert driven.policy.deadline is None
    assert steps(driven.do(driven.policy.demand(driven.now))) == ["start 1", "start 2"]
    assert driven.policy.demand(driven.now) == []


def test_a_stopped_pool_starts_nothing_on_demand_and_recycles_nothing() -> None:
    """What needs a running pool does nothing in one that is stopped."""
    driven = Driven()
    assert driven.policy.demand(driven.now) == []
    assert driven.policy.recycle(ON_DEMAND, driven.now) == []
    assert driven.policy.tick(driven.now) == []


def test_an_overlapped_recycle_replaces_before_it_stops() -> None:
    """The old worker serves until the new one says hello; asked for twice, it is done once."""
    driven = started()
    actions = driven.do(driven.policy.recycle(ON_DEMAND, driven.now))
    assert steps(actions) == ["start 2"]
    assert notes(actions) == ["recycle 1 (on demand)"]
    assert driven[1].state is State.SERVING
    assert driven.policy.recycle(ON_DEMAND, driven.now) == []
    actions = driven.up(2)
    assert steps(actions) == ["serve 2", "stop 1"]
    assert notes(actions) == ["worker_serving 2", "worker_stopping 1 (on demand)"]
    actions = driven.exit(1)
    assert (steps(actions), notes(actions)) == (["drop 1"], ["worker_stopped 1 (exit status 0)"])
    assert (driven.policy.starts, driven.policy.deaths) == (2, 0)


def test_a_non_overlapped_recycle_stops_before_it_replaces() -> None:
    """With DisallowOverlappingRotation the new worker is started when the old one has ended."""
    driven = started(NON_OVERLAPPED)
    assert steps(driven.do(driven.policy.recycle(ON_DEMAND, driven.now))) == ["stop 1"]
    assert steps(driven.do(driven.policy.demand(driven.now))) == []
    assert steps(driven.exit(1)) == ["drop 1", "start 2"]
    assert steps(driven.up(2)) == ["serve 2"]


def test_a_web_garden_is_replaced_one_by_one() -> None:
    """Each hello stops one old worker, the oldest first: as many serve as are wanted."""
    driven = started(GARDEN)
    assert steps(driven.do(driven.policy.recycle(ON_DEMAND, driven.now))) == ["start 3", "start 4"]
    assert steps(driven.up(4)) == ["serve 4", "stop 1"]
    assert steps(driven.up(3)) == ["serve 3", "stop 2"]


def test_a_non_overlapped_web_garden_never_has_more_processes() -> None:
    """Each new worker waits for an old one's end."""
    driven = started(replace(GARDEN, DisallowOverlappingRotation=1))
    assert steps(driven.do(driven.policy.recycle(ON_DEMAND, driven.now))) == ["stop 1", "stop 2"]
    assert steps(driven.exit(2)) == ["drop 2", "start 3"]
    assert steps(driven.exit(1)) == ["drop 1", "start 4"]


def test_old_ones_that_do_not_end_hold_up_the_next_recycle() -> None:
    """There are never more than twice MaxProcesses: until one ends, the leaving one serves."""
    driven = started()
    driven.do(driven.policy.recycle(ON_DEMAND, driven.now))
    driven.up(2)
    assert steps(driven.do(driven.policy.recycle(ON_DEMAND, driven.now))) == []
    assert driven[2].state is State.SERVING
    assert steps(driven.exit(1)) == ["drop 1", "start 3"]
    assert steps(driven.up(3)) == ["serve 3", "stop 2"]


def test_a_replacement_that_fails_leaves_the_old_one_serving() -> None:
    """The next is tried after a wait that grows; the old worker stops when one has come up."""
    driven = started()
    driven.do(driven.policy.recycle(ON_DEMAND, driven.now))
    assert steps(driven.exit(2, "exit status 3", 3)) == ["drop 2"]
    assert driven.policy.failures == 1
    assert driven.policy.deadline == driven.now + 0.1
    assert steps(driven.tick(0.1)) == ["start 3"]
    driven.exit(3, "exit status 3", 3)
    assert driven.policy.deadline == driven.now + 0.2
    assert steps(driven.tick(0.2)) == ["start 4"]
    assert driven[1].state is State.SERVING
    assert steps(driven.up(4)) == ["serve 4", "stop 1"]
    assert driven.policy.failures == 0


def test_a_leaving_worker_that_dies_is_not_replaced_twice() -> None:
    """Its replacement is on the way already."""
    driven = started()
    driven.do(driven.policy.recycle(ON_DEMAND, driven.now))
    assert steps(driven.exit(1, "SIGKILL", -9)) == ["drop 1"]
    assert steps(driven.up(2)) == ["serve 2"]


def test_a_fork_that_fails_is_tried_again_and_no_failure_of_a_worker() -> None:
    """Neither starts nor deaths nor rapid-fail protection count it; the wait grows."""
    driven = Driven()
    driven.forks = False
    actions = driven.do(driven.policy.start(driven.now))
    assert steps(actions) == ["admit", "start 1"]
    assert logged(actions) == [(None, None)]
    for delay in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0):
        assert driven.policy.deadline == pytest.approx(driven.now + delay)
        assert len(steps(driven.tick(delay + 1e-6))) == 1
    assert driven.policy.enabled
    assert (driven.policy.starts, driven.policy.deaths, driven.policy.failures) == (0, 0, 8)
    driven.forks = True
    driven.tick(5.0)
    assert steps(driven.up(9)) == ["serve 9"]


def test_without_a_worker_for_the_time_of_a_start_requests_are_refused() -> None:
    """Not before StartupTimeLimit, then with N/A, and from the next hello on no more."""
    driven = started()
    driven.forks = False
    driven.exit(1, "SIGKILL", -9)
    assert "refuse N/A" not in steps(driven.tick(89.999))
    actions = driven.tick(0.001)
    assert "refuse N/A" in steps(actions)
    assert "pool_unavailable (no worker within 90 s)" in notes(actions)
    assert "refuse N/A" not in steps(driven.tick(1000.0))
    driven.forks = True
    driven.tick(5.0)
    assert steps(driven.up(max(w.number for w in driven.living)))[-1] == "admit"


def test_how_long_an_old_worker_takes_to_end_is_no_reason_to_refuse() -> None:
    """In a non-overlapped recycle requests wait for its end as long as that may take."""
    driven = started(replace(NON_OVERLAPPED, StartupTimeLimit=1.0, ShutdownTimeLimit=50.0))
    driven.do(driven.policy.recycle(ON_DEMAND, driven.now))
    assert steps(driven.tick(49.0)) == []
    assert steps(driven.exit(1)) == ["drop 1", "start 2"]
    assert "refuse N/A" in steps(driven.tick(1.0))


def test_a_stopped_pool_refuses_and_ends_all() -> None:
    """Those that serve are told to end, those that start are killed, and that is no death."""
    driven = started(GARDEN)
    driven.do(driven.policy.recycle(ON_DEMAND, driven.now))
    driven.up(3)
    actions = driven.do(driven.policy.stop(driven.now, "Disabled"))
    assert steps(actions) == ["refuse Disabled", "stop 2", "stop 3", "drop 4", "kill 4"]
    assert notes(actions)[0] == "pool_stopped (Disabled)"
    assert notes(driven.exit(4, "SIGKILL", -9)) == ["worker_stopped 4 (SIGKILL)"]
    for number in (1, 2, 3):
        assert steps(driven.exit(number)) == [f"drop {number}"]
    assert driven.policy.deaths == 0
    assert driven.policy.deadline is None
    assert driven.do(driven.policy.stop(driven.now, "Disabled")) == []
    assert steps(driven.do(driven.policy.stop(driven.now, "N/A"))) == ["refuse N/A"]


def test_a_pool_is_started_while_it_stops() -> None:
    """New workers do not wait for the old ones to end, unless rotation may not overlap."""
    driven = started()
    driven.do(driven.policy.stop(driven.now, "Disabled"))
    assert steps(driven.do(driven.policy.start(driven.now))) == ["admit", "start 2"]
    driven = started(NON_OVERLAPPED)
    driven.do(driven.policy.stop(driven.now, "Disabled"))
    assert steps(driven.do(driven.policy.start(driven.now))) == ["admit"]
    assert steps(driven.exit(1)) == ["drop 1", "start 2"]


def crash(driven: Driven, times: int) -> list[str]:
    """Let the youngest worker crash so often, each replacement once it serves."""
    done: list[str] = []
    for _ in range(times):
        number = max(worker.number for worker in driven.living)
        if driven[number].state is State.STARTING:
            driven.up(number)
        done = steps(driven.exit(number, "SIGSEGV", -11))
    return done


def test_the_fifth_crash_turns_the_pool_off() -> None:
    """Four are replaced; the fifth is 1002, and everything gets AppOffline."""
    driven = started()
    assert crash(driven, 4) == ["drop 4", "start 5"]
    driven.up(5)
    actions = driven.exit(5, "SIGSEGV", -11)
    assert steps(actions) == ["drop 5", "refuse AppOffline"]
    assert logged(actions) == [(1009, 105), (1002, None)]
    assert "pool_disabled (AppOffline)" in notes(actions)
    assert driven.policy.state == "disabled"
    assert driven.policy.deadline is None
    assert driven.policy.demand(driven.now) == []
    assert driven.policy.deaths == 5


def test_only_a_start_ends_it_and_counts_anew() -> None:
    """After that it takes five failures again."""
    driven = started()
    crash(driven, 5)
    assert steps(driven.do(driven.policy.start(driven.now))) == ["admit", "start 6"]
    assert crash(driven, 4) == ["drop 9", "start 10"]


def test_rapid_fail_while_a_recycle_is_under_way() -> None:
    """The one that serves is told to end, the one that starts is killed, both once."""
    driven = started(replace(GARDEN, RapidFailProtectionMaxCrashes=1))
    driven.do(driven.policy.recycle(ON_DEMAND, driven.now))
    driven.up(3)
    assert steps(driven.exit(3, "SIGSEGV", -11)) == [
        *("drop 3", "refuse AppOffline"),
        *("stop 2", "drop 4", "kill 4"),
    ]
    actions = driven.exit(2, "SIGSEGV", -11)
    assert (steps(actions), logged(actions)) == (["drop 2"], [(1009, 102)])


def test_a_disabled_pool_may_be_stopped() -> None:
    """Requests are then refused for that."""
    driven = started(replace(QUIET, RapidFailProtectionMaxCrashes=1))
    crash(driven, 1)
    assert steps(driven.do(driven.policy.stop(driven.now, "Disabled"))) == ["refuse Disabled"]
    assert driven.policy.state == "stopped"


def test_scheduled_times_recycle_all() -> None:
    """At the time said and not before, once, and at the next time again."""
    driven = Driven(replace(GARDEN, PeriodicRestartSchedule="00:00,06:00,12:00,18:00"))
    driven.do(driven.policy.start(driven.now))
    driven.up(1, 2)
    due = driven.policy.deadline
    assert due is not None
    assert steps(driven.tick(due - driven.now - 0.001)) == []
    assert steps(driven.tick(0.001)) == ["start 3", "start 4"]
    assert driven[1].leaving is Reason.SCHEDULE
    driven.up(3, 4)
    driven.exit(1)
    driven.exit(2)
    due = driven.policy.deadline
    assert due is not None
    assert steps(driven.tick(due - driven.now)) == ["start 5", "start 6"]


@pytest.mark.parametrize("stopped_before", [False, True])
def test_a_pool_whose_processes_were_all_killed_is_stopped(stopped_before: bool) -> None:
    """Nothing is owed to any of them, and a start finds room for a new one at once."""
    driven = started(NON_OVERLAPPED)
    if stopped_before:
        driven.do(driven.policy.stop(driven.now, "N/A"))
    driven.policy.killed(driven.now, "N/A")
    assert (driven.policy.workers, driven.policy.enabled) == ((), False)
    assert (driven.policy.deadline, driven.policy.deaths) == (None, 0)
    assert steps(driven.policy.start(driven.now)) == ["admit", "start 2"]
