"""One worker process as the policy keeps it."""

import pytest

from vaultstorm_server.w3svc.recycling import Reason
from vaultstorm_server.w3svc.states import Change, Ending, State
from vaultstorm_server.w3svc.worker import Worker


def test_a_worker_lives_by_the_table() -> None:
    """It starts as STARTING without a process; what the table lacks is a KeyError."""
    worker = Worker(3, 7.0)
    assert (worker.number, worker.pid, worker.started, worker.since) == (3, 0, 7.0, 7.0)
    with pytest.raises(KeyError):
        worker.change(Change.STOP)
    worker.change(Change.HELLO)
    assert worker.state is State.SERVING
    with pytest.raises(KeyError):
        worker.change(Change.HELLO)


def test_two_workers_are_two_keys() -> None:
    """Workers are told apart by identity, not by what they hold."""
    assert len({Worker(1, 0.0), Worker(1, 0.0)}) == 2


def test_who_occupies_a_place() -> None:
    """One that starts or serves does, one that leaves or ends does not, one that is lost does."""

    def place(worker: Worker) -> tuple[bool, bool]:
        return worker.occupies, worker.fresh

    worker = Worker(1, 0.0)
    assert place(worker) == (True, False)
    worker.change(Change.HELLO)
    assert place(worker) == (True, True)
    worker.leaving = Reason.REQUESTS
    assert place(worker) == (False, False)
    worker.leaving = None
    worker.change(Change.LOST)
    for ending in Ending:
        worker.ending = ending
        assert place(worker) == (ending is Ending.LOST, False)
    worker.ending, worker.leaving = Ending.LOST, Reason.REQUESTS
    assert place(worker) == (False, False)


def test_it_is_counted() -> None:
    """The shell gives what only it knows; all else is the record's."""
    worker = Worker(1, 7.0)
    worker.pid, worker.served, worker.leaving = 42, 5, Reason.ON_DEMAND
    statistics = worker.statistics(in_flight=2, unsent_bytes=11)
    assert (statistics.pid, statistics.state, statistics.started) == (42, "starting", 7.0)
    assert (statistics.served, statistics.in_flight, statistics.unsent_bytes) == (5, 2, 11)
    assert statistics.leaving == "on demand"
    assert Worker(2, 0.0).statistics(0, 0).leaving is None
    assert repr(worker) == "<Worker 1: 42 starting, leaving: on demand>"
    assert repr(Worker(2, 0.0)) == "<Worker 2: 0 starting>"
