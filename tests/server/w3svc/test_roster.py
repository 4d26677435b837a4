"""The worker processes of a pool, step by step."""

import pytest
from msgspec.structs import replace

from tests.server.w3svc.driven import QUIET, logged, notes, steps
from vaultstorm_server.w3svc import eventlog
from vaultstorm_server.w3svc.recycling import Reason
from vaultstorm_server.w3svc.roster import Roster
from vaultstorm_server.w3svc.states import Ending, State


def test_what_is_asked_is_taken_once() -> None:
    """Actions come in their order, and are gone then."""
    roster = Roster(QUIET)
    roster.start(0.0)
    (worker,) = roster.workers
    roster.serve(worker, 1.0)
    roster.stop(worker, 2.0, "idle")
    actions = roster.take()
    assert steps(actions) == ["start 1", "serve 1", "stop 1"]
    assert notes(actions) == ["worker_stopping 1 (idle)"]
    assert roster.take() == []
    assert (worker.state, worker.ending, worker.since) == (State.SHUTTING_DOWN, Ending.ASKED, 2.0)


def test_a_step_that_makes_no_sense_is_none() -> None:
    """One that starts cannot be told to end, one that ends cannot serve: the table says so."""
    roster = Roster(QUIET)
    roster.start(0.0)
    (worker,) = roster.workers
    with pytest.raises(KeyError):
        roster.stop(worker, 0.0, "idle")
    roster.cancel(worker, 0.0)
    with pytest.raises(KeyError):
        roster.serve(worker, 0.0)


def test_a_worker_is_dropped_once_however_it_ends() -> None:
    """Its channel ends, it fails, and it exits: its requests are given up the first time."""
    roster = Roster(QUIET)
    roster.start(0.0)
    (worker,) = roster.workers
    roster.lose(worker, 1.0, "EOF")
    roster.fail(worker, 2.0, eventlog.BROKEN, "EOF")
    roster.end(worker, 3.0, "SIGKILL", -9)
    actions = roster.take()
    assert steps(actions) == ["start 1", "drop 1", "kill 1"]
    assert logged(actions) == [(1011, 0)]
    assert (roster.deaths, roster.backoff.failures, roster.rapid_fail.count) == (1, 1, 1)
    assert roster.workers == []


def test_nothing_is_filled_while_a_start_has_to_wait() -> None:
    """When the wait is over, it is."""
    roster = Roster(QUIET)
    roster.wanted = 1
    roster.backoff.failed(0.0)
    roster.fill(0.0999)
    assert roster.workers == []
    roster.fill(0.1)
    roster.fill(0.1)
    assert len(roster.workers) == 1


@pytest.mark.parametrize("alone, expected", [(1, [0, 1, 0, 0, 1]), (0, [0] * 5)])
def test_an_end_that_others_wait_for(alone: int, expected: list[int]) -> None:
    """It is awaited only without overlapping, and while nothing else could come up."""
    roster = Roster(replace(QUIET, DisallowOverlappingRotation=alone))
    awaited = [roster.awaited]
    roster.start(0.0)
    (worker,) = roster.workers
    roster.serve(worker, 0.0)
    roster.stop(worker, 0.0, "idle")
    awaited.append(roster.awaited)
    roster.start(0.0)
    awaited.append(roster.awaited)
    roster.end(roster.workers[1], 0.0, "exit status 1", 1)
    awaited.append(roster.awaited)
    roster.backoff.clear()
    awaited.append(roster.awaited)
    assert awaited == expected


def test_a_stopped_pool_is_started_while_its_workers_still_end() -> None:
    """Those that an operator has stopped keep nobody from being started; recycled ones do."""
    roster = Roster(QUIET)
    roster.wanted = 1
    for _ in range(3):
        roster.fill(0.0)
        worker = roster.workers[-1]
        roster.serve(worker, 0.0)
        roster.stop(worker, 0.0, "pool_stopped")
    assert roster.starts == 3
    for worker in roster.workers:
        worker.leaving = Reason.ON_DEMAND
    roster.fill(0.0)
    assert roster.starts == 3


def test_all_may_be_gone_at_once() -> None:
    """Whatever state they are in: nothing is asked for, and nothing counts as a failure."""
    roster = Roster(QUIET)
    for _ in range(3):
        roster.start(0.0)
    _, serving, stopping = roster.workers
    roster.serve(serving, 0.0)
    roster.serve(stopping, 0.0)
    roster.stop(stopping, 0.0, "idle")
    roster.take()
    roster.abolish(1.0)
    assert (roster.workers, roster.take()) == ([], [])
    assert (roster.deaths, roster.rapid_fail.count) == (0, 0)
