"""What a pool makes of its workers' notes, and of what they say of their interface tables."""

import os
import signal
from pathlib import Path

from tests.server.w3svc.pooling import (
    LOST,
    Client,
    deliver,
    ends,
    event_log,
    events,
    pool_of,
    run,
    until,
)
from tests.server.w3svc.scripted import HELLO, pids, scripted, tell
from vaultstorm_server.settings import AppPool
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_wire import journal

NAMES = ("table_full", "pool_hung")


def noted(directory: Path) -> list[tuple[str, int | None, str | None]]:
    """Give the events that a worker has noted."""
    return [event for event in events(directory) if event[0] in NAMES]


def tables(pool: Pool) -> list[tuple[int, int]]:
    """Give what each worker's statistics say of its table."""
    return [(w.interfaces, w.threads_held) for w in pool.statistics().workers]


def test_a_note_becomes_an_event_of_its_worker_and_its_time(tmp_path: Path) -> None:
    """The time is the one that the worker gives: the front reads it later."""
    code = "say(Note(12.5, 'table_full', '256 of 256'), Note(13.5, 'pool_hung'), "
    code += "answer(message.seq))"

    async def scenario() -> None:
        async with pool_of(tmp_path, code=scripted()) as pool:
            told = tell(pool, code)
            assert await ends([told]) == ["answer 200"]
            pid = told.worker
        assert noted(tmp_path) == [("table_full", pid, "256 of 256"), ("pool_hung", pid, None)]

    run(scenario)
    with (tmp_path / f"front-{os.getpid()}.ndjson").open("rb") as lines:
        found = [r for r in journal.read(lines) if isinstance(r, journal.Event)]
    assert [e.time for e in found if e.name in NAMES] == [12.5, 13.5]


def test_the_last_words_of_a_worker_that_crashes_are_taken(tmp_path: Path) -> None:
    """A note that was sent in the moment of the crash comes before the end that it explains."""
    code = "say(Note(1.0, 'corruption_crash')); os.kill(os.getpid(), signal.SIGSEGV)"

    async def scenario() -> None:
        async with pool_of(tmp_path, code=scripted()) as pool:
            told = tell(pool, code)
            assert await ends([told]) == [LOST]
            await until(lambda: ("worker_died", told.worker, "SIGSEGV") in events(tmp_path))
            names = [name for name, pid, _ in events(tmp_path) if pid == told.worker]
            assert names.index("corruption_crash") < names.index("worker_died")

    run(scenario)


def test_tables_are_the_workers_own_and_add_up_for_the_sampler(tmp_path: Path) -> None:
    """What a worker held ends with it; what came and went between two looks is told once."""

    async def scenario() -> None:
        async with pool_of(tmp_path, AppPool(MaxProcesses=2), scripted()) as pool:
            await until(lambda: len(pids(pool, "serving")) == 2)
            first, second = Client(), Client()
            said = "say(Table({}, {}), Table({}, {}), answer(message.seq))"
            one = tell(pool, said.format(5, 1, 4, 0), first)
            assert await ends([one]) == ["answer 200"]
            two = tell(pool, said.format(9, 2, 8, 3), second)
            assert await ends([two]) == ["answer 200"]
            assert one.worker != two.worker
            assert sorted(tables(pool)) == [(4, 0), (8, 3)]
            assert [pool.vault_peak() for _ in "12"] == [(4 + 9, 3), (12, 3)]
            os.kill(two.worker or 0, signal.SIGKILL)
            await until(lambda: two.worker not in pids(pool, "serving"))
            await until(lambda: sorted(tables(pool)) == [(0, 0), (4, 0)])
            assert [pool.vault_peak() for _ in "12"] == [(12, 3), (4, 0)]

    run(scenario)


def test_a_worker_may_have_a_table_before_it_says_hello(tmp_path: Path) -> None:
    """It is no nonsense, and it counts."""

    async def scenario() -> None:
        async with pool_of(tmp_path, code=scripted(f"say(Table(1, 0)); {HELLO}")) as pool:
            await pool.ready
            assert tables(pool) == [(1, 0)]
        assert event_log(tmp_path) == []

    run(scenario)


def test_one_that_never_stops_talking_fails_its_ping(tmp_path: Path) -> None:
    """1010: all that it says may be said, but it answers nothing; the other one serves."""
    # long enough for the other one's answer on the busiest machine
    settings = AppPool(MaxProcesses=2, PingInterval=0.05, PingResponseTime=1)

    async def scenario() -> None:
        async with pool_of(tmp_path, settings, scripted()) as pool:
            await until(lambda: len(pids(pool, "serving")) == 2)
            told = tell(pool, "flood(framed(Table(1, 1)) * 20_000)", Client())
            others = Client()
            while not told.ended:
                assert await ends(deliver(pool, "/answer", client=others)) == ["answer 200"]
            assert await ends([told]) == [LOST]
        assert event_log(tmp_path) == [(1010, told.worker)]

    run(scenario)
