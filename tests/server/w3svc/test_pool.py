"""The application pool with real worker processes."""

import os
import signal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.server.w3svc.pooling import (
    LINGERING,
    LOST,
    STUBBORN,
    Client,
    Req,
    deliver,
    ends,
    event_log,
    events,
    gone,
    pool_of,
    run,
    until,
)
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_wire.errors import MachineError


def test_the_vault_answers_and_stops_in_good_order(tmp_path: Path) -> None:
    """With the pool's own command a request gets the vault's answer, its pid and its time."""

    async def scenario() -> None:
        async with pool_of(tmp_path, code=None) as pool:
            requests = deliver(pool, "/AeXRSVault/status", "/elsewhere")  # before the hello
            assert await ends(requests) == ["answer 200", "answer 404"]
            (worker,) = pool.statistics().workers
            assert pool.ready.done()
            assert (worker.state, worker.served, worker.in_flight) == ("serving", 2, 0)
            assert f"{worker.pid} serving" in repr(pool)
            assert requests[0].worker == worker.pid
            assert requests[0].dispatched is not None
            await pool.end(30)
            assert gone(worker.pid)
            assert pool.statistics().deaths == 0
        assert events(tmp_path) == [
            ("pool_started", None, None),
            ("worker_started", worker.pid, None),
            ("worker_serving", worker.pid, None),
            ("pool_stopped", None, "N/A"),
            ("worker_stopping", worker.pid, "pool_stopped"),
            ("worker_stopped", worker.pid, "exit status 0"),
        ]

    run(scenario)


def test_several_workers_share_the_requests(tmp_path: Path) -> None:
    """With MaxProcesses 3 six requests that are held are two for each."""

    async def scenario() -> None:
        async with pool_of(tmp_path, AppPool(MaxProcesses=3)) as pool:
            await until(lambda: all(w.state == "serving" for w in pool.statistics().workers))
            requests = deliver(pool, *["/hold"] * 6)
            assert [worker.in_flight for worker in pool.statistics().workers] == [2, 2, 2]
            await pool.end(30)
            assert await ends(requests) == [LOST] * 6

    run(scenario)


def test_a_killed_worker_loses_what_it_held_and_is_replaced(tmp_path: Path) -> None:
    """Requests in flight are abandoned; those that wait are answered by the next worker."""

    async def scenario() -> None:
        async with pool_of(tmp_path, AppPool(PendingReceives=1)) as pool:
            await pool.ready
            (worker,) = pool.statistics().workers
            held, waits = deliver(pool, "/hold", "/answer")
            os.kill(worker.pid, signal.SIGKILL)

            assert await ends([held, waits]) == [LOST, "answer 200"]
            assert waits.worker not in (None, worker.pid)
            assert gone(worker.pid)
            assert pool.statistics().deaths == 1
        assert ("worker_died", worker.pid, "SIGKILL") in events(tmp_path)

    run(scenario)


def test_an_answer_counts_even_if_its_worker_dies_at_once(tmp_path: Path) -> None:
    """What the worker sent before its end is taken; only the rest is lost."""

    async def scenario() -> None:
        async with pool_of(tmp_path) as pool:
            await pool.ready
            (worker,) = pool.statistics().workers
            requests = deliver(pool, "/hold", "/answer-and-die", "/answer")
            assert await ends(requests) == [LOST, "answer 200", LOST]
            await until(lambda: pool.statistics().deaths == 1)
        assert ("worker_died", worker.pid, "exit status 5") in events(tmp_path)

    run(scenario)


def test_a_worker_that_talks_nonsense_is_ended_and_replaced(tmp_path: Path) -> None:
    """A frame that is no message costs the worker its life, and its requests theirs."""

    async def scenario() -> None:
        async with pool_of(tmp_path) as pool:
            await pool.ready
            assert await ends(deliver(pool, "/nonsense")) == [LOST]
            assert await ends(deliver(pool, "/answer")) == ["answer 200"]

    run(scenario)


def test_a_worker_that_answers_twice_is_ended_and_replaced(tmp_path: Path) -> None:
    """The first answer is one; the second is to nothing, and costs the worker what it holds."""

    async def scenario() -> None:
        async with pool_of(tmp_path) as pool:
            await pool.ready
            assert await ends(deliver(pool, "/hold", "/twice")) == [LOST, "answer 200"]
            assert await ends(deliver(pool, "/answer")) == ["answer 200"]
            assert pool.statistics().deaths == 1

    run(scenario)


def test_a_request_that_no_frame_holds_is_refused(tmp_path: Path) -> None:
    """It costs no other request anything: the worker goes on, and nothing of it is held."""

    async def scenario() -> None:
        async with pool_of(tmp_path, AppPool(PendingReceives=1)) as pool:
            await pool.ready
            (large,) = requests = [Req("/hold")]
            large.body = bytes(17 << 20)
            pool.deliver(large)
            assert await ends(requests) == ["refuse EntityTooLarge"]
            assert await ends(deliver(pool, "/answer")) == ["answer 200"]

    run(scenario)


def test_over_the_queue_length_requests_are_refused(tmp_path: Path) -> None:
    """With room for 1 in the worker and 10 in the queue, the twelfth finds it full."""

    async def scenario() -> None:
        async with pool_of(tmp_path, AppPool(AppPoolQueueLength=10, PendingReceives=1)) as pool:
            await pool.ready
            requests = deliver(pool, *["/hold"] * 12)
            assert await requests[11].outcome == "refuse QueueFull"
            assert not any(request.outcome.done() for request in requests[:11])
            await pool.end(30)
            assert await ends(requests[:11]) == [LOST] + ["refuse N/A"] * 10

    run(scenario)


def test_a_worker_that_never_starts_is_tried_again_and_then_given_up(tmp_path: Path) -> None:
    """Three failed starts in a row, none before, and the pool says that none comes up."""

    async def scenario() -> None:
        async with pool_of(tmp_path, code="raise SystemExit(9)") as pool:
            with pytest.raises(MachineError, match="exit status 9"):
                await pool.ready
            assert pool.statistics().starts >= 3

    run(scenario)


def test_what_waits_longer_than_a_start_may_take_is_refused(tmp_path: Path) -> None:
    """After StartupTimeLimit without a hello the requests get 503 N/A, and later ones at once."""

    async def scenario() -> None:
        silent = "import os, sys; os.read(int(sys.argv[1]), 1)"
        async with pool_of(tmp_path, AppPool(StartupTimeLimit=1.0), silent) as pool:
            requests = deliver(pool, "/answer")
            assert await ends(requests) == ["refuse N/A"]
            assert await ends(deliver(pool, "/answer")) == ["refuse N/A"]
            with pytest.raises(MachineError, match="StartupTimeLimit"):
                await pool.ready

    run(scenario)


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """Stop waits no longer than its grace, and leaves neither process nor zombie."""

    async def scenario() -> None:
        async with pool_of(tmp_path, code=STUBBORN) as pool:
            await pool.ready
            (worker,) = pool.statistics().workers
            await pool.end(0.1)
            assert gone(worker.pid)
            assert pool.statistics().workers == ()

    run(scenario)


def states(pool: Pool) -> list[str]:
    """Give the states of all workers, the oldest first."""
    return [worker.state for worker in pool.statistics().workers]


@pytest.mark.parametrize("hotfix, end", [(0, LOST), (1, "answer 200")])
def test_a_request_between_the_stop_and_the_exit(tmp_path: Path, hotfix: int, end: str) -> None:
    """KB908739 with real processes: the old one has been told to stop, and is still there."""

    async def scenario() -> None:
        async with pool_of(tmp_path, code=LINGERING, hotfix=hotfix) as pool:
            await pool.ready
            (old,) = pool.statistics().workers
            client = Client()
            assert await ends(deliver(pool, "/answer", client=client)) == ["answer 200"]
            pool.recycle()
            await until(lambda: states(pool) == ["shutting down", "serving"])
            new = pool.statistics().workers[1]

            (request,) = requests = deliver(pool, "/answer", client=client)

            assert request.worker == (new.pid if hotfix else old.pid)
            os.kill(old.pid, signal.SIGUSR1)
            assert await ends(requests) == [end]
            assert await ends(deliver(pool, "/answer", client=Client())) == ["answer 200"]
            await until(lambda: states(pool) == ["serving"])
            assert gone(old.pid)
            assert pool.statistics().deaths == 0
        assert event_log(tmp_path) == []

    run(scenario)


def test_without_overlapping_what_comes_waits_for_the_next_worker(tmp_path: Path) -> None:
    """B8: the old worker ends first; who comes meanwhile waits, and is answered."""

    async def scenario() -> None:
        async with pool_of(tmp_path, AppPool(DisallowOverlappingRotation=1), LINGERING) as pool:
            await pool.ready
            (old,) = pool.statistics().workers
            pool.recycle()
            assert states(pool) == ["shutting down"]
            requests = deliver(pool, "/answer")
            os.kill(old.pid, signal.SIGUSR1)
            assert await ends(requests) == ["answer 200"]
            assert requests[0].worker != old.pid

    run(scenario)


def test_a_pool_is_stopped_and_started(tmp_path: Path) -> None:
    """B13: 503 Disabled while it is stopped; what the worker has is finished."""

    async def scenario() -> None:
        async with pool_of(tmp_path) as pool:
            await pool.ready
            first = deliver(pool, "/answer")
            pool.stop_pool()
            second = deliver(pool, "/answer")
            assert await ends([*first, *second]) == ["answer 200", "refuse Disabled"]
            await until(lambda: states(pool) == [])
            assert pool.statistics().state == "stopped"
            pool.start_pool()
            assert await ends(deliver(pool, "/answer")) == ["answer 200"]
            assert pool.statistics().deaths == 0

    run(scenario)


@pytest.mark.parametrize("orphan", [0, 1])
def test_a_worker_that_hangs_is_ended_or_let_go_of(tmp_path: Path, orphan: int) -> None:
    """B10: 1010 once the ping is not answered; its requests are lost, and the next one serves."""
    settings = AppPool(PingInterval=0.02, PingResponseTime=0.1, OrphanWorkerProcess=orphan)

    async def scenario() -> None:
        async with pool_of(tmp_path, settings) as pool:
            await pool.ready
            (pid,) = pool.signal_worker("hang")
            assert await ends(deliver(pool, "/answer")) == [LOST]
            await until(lambda: states(pool) == ["serving"])
            assert pid not in [worker.pid for worker in pool.statistics().workers]
            assert gone(pid) is not bool(orphan)
            assert await ends(deliver(pool, "/answer")) == ["answer 200"]
        assert gone(pid)
        assert event_log(tmp_path)[0] == (1010, pid)
        assert ("worker_orphaned" if orphan else "worker_died") in [e[0] for e in events(tmp_path)]

    run(scenario)


def test_a_worker_that_ignores_its_stop_is_killed_at_the_limit(tmp_path: Path) -> None:
    """B7: 1013, and what it still has is lost."""

    async def scenario() -> None:
        async with pool_of(tmp_path, AppPool(ShutdownTimeLimit=0.2), LINGERING) as pool:
            await pool.ready
            (old,) = pool.statistics().workers
            held = deliver(pool, "/hold")
            pool.recycle()
            assert await ends(held) == [LOST]
            await until(lambda: gone(old.pid))
            assert await ends(deliver(pool, "/answer")) == ["answer 200"]
        assert event_log(tmp_path) == [(1013, old.pid)]

    run(scenario)


def test_a_pool_whose_workers_fail_too_often_is_turned_off(tmp_path: Path) -> None:
    """B11: the second crash is one too many; what waits and what comes gets 503 AppOffline."""
    settings = AppPool(RapidFailProtectionMaxCrashes=2, PendingReceives=1)

    async def scenario() -> None:
        async with pool_of(tmp_path, settings) as pool:
            await pool.ready
            assert await ends(deliver(pool, "/exit")) == [LOST]
            requests = deliver(pool, "/exit", "/answer")
            assert await ends(requests) == [LOST, "refuse AppOffline"]
            assert await ends(deliver(pool, "/answer")) == ["refuse AppOffline"]
            assert (pool.statistics().state, states(pool)) == ("disabled", [])
            pool.start_pool()
            assert await ends(deliver(pool, "/answer")) == ["answer 200"]
        assert [number for number, _ in event_log(tmp_path)] == [1009, 1009, 1002]

    run(scenario)


def test_on_demand_the_first_request_starts_the_worker(tmp_path: Path) -> None:
    """The pool is ready before it has one."""

    async def scenario() -> None:
        async with pool_of(tmp_path, AppPool(DemandStart=1)) as pool:
            await pool.ready
            assert states(pool) == []
            assert await ends(deliver(pool, "/answer")) == ["answer 200"]
            assert states(pool) == ["serving"]

    run(scenario)


def test_a_worker_over_its_memory_limit_is_recycled(tmp_path: Path) -> None:
    """Its memory is read from the operating system, every PingInterval."""
    settings = AppPool(PeriodicRestartPrivateMemory=1024, PingInterval=0.02)

    async def scenario() -> None:
        async with pool_of(tmp_path, settings) as pool:
            await pool.ready
            (first,) = pool.statistics().workers
            await until(lambda: gone(first.pid))
        assert ("recycle", first.pid, "private memory") in events(tmp_path)

    run(scenario)


@pytest.mark.parametrize("kept, recycled", [(0, True), (1, False)])
def test_a_changed_setting_recycles(tmp_path: Path, kept: int, recycled: bool) -> None:
    """Unless DisallowRotationOnConfigChange says not to; it counts either way."""

    async def scenario() -> None:
        async with pool_of(tmp_path, AppPool(DisallowRotationOnConfigChange=kept)) as pool:
            await pool.ready
            changed = AppPool(DisallowRotationOnConfigChange=kept, PeriodicRestartRequests=1)
            pool.configure(changed)
            assert (len(states(pool)) == 2) is recycled
            await until(lambda: states(pool) == ["serving"])
            assert await ends(deliver(pool, "/answer")) == ["answer 200"]
            assert len(states(pool)) == 2
            pool.configure(replace(changed, PeriodicRestartRequests=0))

    run(scenario)
