"""What has to be done about a worker process, and when."""

from msgspec.structs import replace

from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.duties import EXIT_GRACE, Duty, arm, duties, idle_until
from vaultstorm_server.w3svc.recycling import Reason
from vaultstorm_server.w3svc.states import Change, Ending
from vaultstorm_server.w3svc.worker import Worker

FULL = AppPool(
    StartupTimeLimit=1.0,
    ShutdownTimeLimit=2.0,
    PingInterval=3.0,
    PingResponseTime=4.0,
    PeriodicRestartTime=5.0,
    IdleTimeout=6.0,
    PeriodicRestartMemory=1,
)
BARE = AppPool(PingingEnabled=0, PeriodicRestartTime=0.0, IdleTimeout=0.0)


def served(settings: AppPool) -> Worker:
    """Make a worker that serves since 100."""
    worker = Worker(1, 100.0)
    worker.change(Change.HELLO)
    arm(worker, settings, 100.0, [])
    return worker


def test_one_that_starts_has_to_come_up() -> None:
    """Nothing else is asked of it."""
    assert list(duties(Worker(1, 100.0), FULL)) == [(101.0, Duty.SLOW_START)]


def test_one_that_serves_is_looked_after() -> None:
    """Each limit has its time; one that leaves is only pinged."""
    worker = served(FULL)
    assert sorted(duties(worker, FULL)) == [
        (103.0, Duty.PING),
        (103.0, Duty.MEASURE),
        (105.0, Duty.RECYCLE),
        (106.0, Duty.IDLE),
    ]
    worker.leaving = Reason.TIME
    assert list(duties(worker, FULL)) == [(103.0, Duty.PING)]
    worker.pinged = 103.0
    assert list(duties(worker, FULL)) == [(107.0, Duty.SILENT)]


def test_with_all_limits_off_there_is_nothing_to_do() -> None:
    """0 is no limit."""
    assert list(duties(served(BARE), BARE)) == []


def test_one_that_shuts_down_has_to_end() -> None:
    """Its limit is that of why it does; one that was killed has none."""
    worker = served(FULL)
    worker.change(Change.STOP)
    for ending, expected in (
        (Ending.ASKED, [(102.0, Duty.SLOW_END)]),
        (Ending.LOST, [(100.0 + EXIT_GRACE, Duty.BROKEN)]),
        (Ending.CANCELLED, []),
        (Ending.FAILED, []),
    ):
        worker.ending = ending
        assert list(duties(worker, FULL)) == expected


def test_to_arm_it_anew_puts_off_no_ping() -> None:
    """However often the settings change, a ping comes; an age limit counts from the hello."""
    worker = served(FULL)
    arm(worker, replace(FULL, PeriodicRestartTime=50.0), 102.0, [])
    assert (worker.ping_at, worker.measure_at, worker.recycle_at) == (103.0, 103.0, 150.0)
    arm(worker, replace(FULL, PingInterval=0.5), 102.0, [])
    assert (worker.ping_at, worker.measure_at, worker.recycle_at) == (102.5, 102.5, 105.0)
    arm(worker, BARE, 102.0, [])
    assert (worker.measure_at, worker.recycle_at, worker.idle_at) == (None, None, None)


def test_a_web_garden_has_its_ages_apart() -> None:
    """The second of two comes due half of the time before the first."""
    garden = replace(FULL, MaxProcesses=2)
    first, second = served(garden), served(garden)
    arm(second, garden, 100.0, [first])
    assert (first.recycle_at, second.recycle_at) == (105.0, 102.5)


def test_idleness_counts_from_the_last_request() -> None:
    """One that is still there counts as one just now."""
    worker = served(FULL)
    assert idle_until(worker, FULL, 104.0) == 106.0
    worker.held = 1
    assert idle_until(worker, FULL, 104.0) == 110.0
