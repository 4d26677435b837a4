"""Worker processes that say what they may not, too much of it, or do not listen: real ones."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.server.w3svc.pooling import (
    LOST,
    Client,
    deliver,
    ends,
    event_log,
    gone,
    pool_of,
    run,
    until,
)
from tests.server.w3svc.scripted import HANG, HELLO, answers, left, pids, put, scripted, tell
from vaultstorm_server import frames
from vaultstorm_server.settings import AppPool, HttpSys
from vaultstorm_server.w3svc.process import CHANNEL

__all__ = ["left"]

pytestmark = pytest.mark.usefixtures("left")
HTTP = HttpSys()
FRAME_MAX = frames.bound(HTTP.MaxRequestBytes, HTTP.MaxRequestEntityAllowed)
GARDEN = AppPool(MaxProcesses=2)

NONSENSE = {
    "a second hello": HELLO,
    "a pong that nobody asked for": "say(Pong())",
    "an answer to nothing": "say(answer(message.seq + 100))",
    "an answer to another's request": "say(answer(1))",
    "what the front says": "say(Stop())",
    "a note of no time": "say(Note(float('nan'), 'table_full'))",
    "a table of less than nothing": "say(Table(0, -1))",
    "a frame without a message": "write(bytes(4))",
    "text that is no UTF-8": r"write(b'\0\0\0\4\x92\6\xa1\xff')",
    "arrays in arrays": r"write(LENGTH.pack(90003) + b'\x93\2\5' + b'\x91' * 89999 + b'\xc0')",
    "a frame that is too long": f"write(LENGTH.pack({FRAME_MAX + 1}))",
    "its end without its end": "os.close(fd); signal.pause()",
}


@pytest.mark.parametrize("code", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_costs_its_worker_alone(tmp_path: Path, code: str) -> None:
    """1011: it is killed, and what it holds is lost; the other one's requests are none of that."""

    async def scenario() -> None:
        async with pool_of(tmp_path, GARDEN, scripted()) as pool:
            await until(lambda: len(pids(pool, "serving")) == 2)
            others, client = Client(), Client()
            (other,) = deliver(pool, "/hold", client=others)  # ticket 1
            (mine,) = deliver(pool, "/hold", client=client)
            assert other.worker != mine.worker
            answered = deliver(pool, "/answer", client=client)
            told = tell(pool, code, client)
            assert await ends([mine, told, *answered]) == [LOST, LOST, "answer 200"]
            assert not other.ended
            assert mine.worker is not None
            await until(lambda: gone(mine.worker or 0))
            assert await ends(deliver(pool, "/answer", client=others)) == ["answer 200"]
            assert await ends(deliver(pool, "/answer", client=client)) == ["answer 200"]
        assert event_log(tmp_path) == [(1011, mine.worker)]

    run(scenario)


@pytest.mark.parametrize("start", [f"{HELLO};{HELLO}", "say(Pong())", "say(answer(1))"])
def test_nonsense_in_place_of_a_hello(tmp_path: Path, start: str) -> None:
    """1011 as well: three failures turn this pool off, and what waits is refused."""
    settings = AppPool(RapidFailProtectionMaxCrashes=3)

    async def scenario() -> None:
        async with pool_of(tmp_path, settings, scripted(start)) as pool:
            assert await ends(deliver(pool, "/hold")) in ([LOST], ["refuse AppOffline"])
            await until(lambda: pool.statistics().state == "disabled")
            await until(lambda: not pool.statistics().workers)
            assert (pool.ready.exception() is None) is start.startswith(HELLO)
        assert [number for number, _ in event_log(tmp_path)] == [1011, 1011, 1011, 1002]

    run(scenario)


FLOODS = {
    "pongs": "flood(framed(Pong()) * 30_000)",
    "hellos": "flood(framed(Hello(1)) * 30_000)",
    "answers": "flood(framed(answer(message.seq)) * 10_000)",
    "no messages": r"flood(b'\xc1' * 200_000)",
    "one frame": f"write(LENGTH.pack({FRAME_MAX})); flood(bytes(200_000))",
}


@pytest.mark.parametrize("code", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_ends_with_its_worker(tmp_path: Path, code: str) -> None:
    """1011, once; the other worker answers a hundred requests meanwhile."""

    async def scenario() -> None:
        async with pool_of(tmp_path, GARDEN, scripted()) as pool:
            await until(lambda: len(pids(pool, "serving")) == 2)
            client, others = Client(), Client()
            told = tell(pool, code, client)
            calm = [*deliver(pool, "/answer", client=others)]
            assert calm[0].worker != told.worker
            for _ in range(100):
                calm += deliver(pool, "/answer", client=others)
                await calm[-1].outcome
            assert set(await ends(calm)) == {"answer 200"}
            first = "answer 200" if "answer" in code else LOST
            assert await ends([told]) == [first]
            await until(lambda: gone(told.worker or 0))
            assert await ends(deliver(pool, "/answer", client=client)) == ["answer 200"]
        assert event_log(tmp_path) == [(1011, told.worker)]

    run(scenario)


def test_one_that_never_reads_holds_no_more_than_its_receives(tmp_path: Path) -> None:
    """The front keeps PendingReceives requests for it, the queue takes the rest up to its limit.

    The other worker answers meanwhile; killed, the first one loses what it held and what waited
    for it alone.
    """
    settings = AppPool(MaxProcesses=2, PendingReceives=2, AppPoolQueueLength=10)
    large = bytes(4 << 20)

    async def scenario() -> None:
        async with pool_of(tmp_path, settings, scripted()) as pool:
            await until(lambda: len(pids(pool, "serving")) == 2)
            client, others = Client(), Client()
            told = tell(pool, HANG, client)
            deaf = [put(pool, large, client=client) for _ in range(15)]
            full = deaf[11:]
            assert await ends(full) == ["refuse QueueFull"] * 4
            for _ in range(20):
                assert await ends(deliver(pool, "/answer", client=others)) == ["answer 200"]
            (worker,) = [w for w in pool.statistics().workers if w.pid == told.worker]
            assert worker.in_flight == 2
            assert len(large) / 2 < worker.unsent_bytes < 2 * (len(large) + frames.OVERHEAD)
            assert pool.requests.waiting == 10
            os.kill(worker.pid, signal.SIGKILL)
            assert await ends([told, *deaf[:11]]) == [LOST] * 12
            assert await ends(deliver(pool, "/answer", client=client)) == ["answer 200"]
            await until(lambda: pool.statistics().deaths == 1)
            assert gone(worker.pid)
        assert event_log(tmp_path) == [(1009, told.worker)]

    run(scenario)


@pytest.mark.parametrize("fault", ["missing", "not executable", "no program"])
def test_a_pool_recovers_when_its_executable_is_there_again(tmp_path: Path, fault: str) -> None:
    """No failure of a worker: requests wait, starts are tried again, and one of them succeeds."""
    program, text = tmp_path / "w3wp", tmp_path / "text"
    program.symlink_to(sys.executable)
    text.write_bytes(b"\0")
    text.chmod(0o755 if fault == "no program" else 0o644)
    settings = AppPool(RapidFailProtectionMaxCrashes=2)
    command = [str(program), "-c", scripted(), CHANNEL]

    async def scenario() -> None:
        async with pool_of(tmp_path, settings, command=command) as pool:
            await pool.ready
            (pid,) = pids(pool, "serving")
            program.unlink()
            if fault != "missing":
                program.symlink_to(text)
            os.kill(pid, signal.SIGKILL)
            await until(lambda: gone(pid))
            requests = deliver(pool, "/answer", "/answer")
            await until(lambda: len(event_log(tmp_path)) >= 4)
            program.unlink(missing_ok=True)
            program.symlink_to(sys.executable)
            assert await ends(requests) == ["answer 200"] * 2
            assert await answers(pool)
            assert pool.statistics().starts == 2
        assert event_log(tmp_path)[0] == (1009, pid)
        assert set(event_log(tmp_path)[1:]) == {(None, None)}

    run(scenario)
