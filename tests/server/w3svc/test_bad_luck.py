"""Worker processes that are killed, hang or never come up: real ones, at every point of a life."""

import os
import signal
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.server.w3svc.pooling import (
    LOST,
    Client,
    deliver,
    ends,
    event_log,
    events,
    gone,
    pool_of,
    run,
    until,
)
from tests.server.w3svc.scripted import (
    HANG,
    HELLO,
    KILL,
    answers,
    gate,
    left,
    pids,
    put,
    scripted,
    tell,
)
from vaultstorm_server.settings import AppPool

__all__ = ["left"]

pytestmark = pytest.mark.usefixtures("left")
LARGE = bytes(8 << 20)
"""More than a socketpair holds, many times over."""
HALF = "data = framed({}); write(data[:len(data) // 2]); "


def died(directory: Path) -> list[int | None]:
    """Give the workers whose end nobody asked for."""
    return [pid for name, pid, _ in events(directory) if name == "worker_died"]


async def reached(fifo: Path) -> int:
    """Wait until a process waits at the gate; give our end of it."""
    found: list[int] = []

    def opened() -> bool:
        try:
            found.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # ENXIO: nobody reads it
            return False
        return True

    await until(opened)
    return found[0]


# Killed.


@pytest.mark.parametrize("moment", ["at once", "before its hello", "in the middle of its hello"])
def test_killed_while_it_starts(tmp_path: Path, moment: str) -> None:
    """1009; what waits goes on waiting, and the next worker answers it."""
    fifo = tmp_path / "gate"
    os.mkfifo(fifo)
    half = f"if os.path.exists({str(fifo)!r}): data = framed(Hello(1)); write(data[:5])"
    start = "\n".join([half, gate(fifo), HELLO])

    async def scenario() -> None:
        async with pool_of(tmp_path, code=scripted(start)) as pool:
            (pid,) = pids(pool, "starting")
            requests = deliver(pool, *["/answer"] * 3)
            ours = await reached(fifo) if moment != "at once" else None
            fifo.unlink()
            os.kill(pid, signal.SIGKILL)
            assert await ends(requests) == ["answer 200"] * 3
            assert gone(pid)
            assert pool.ready.done()
            if ours is not None:
                os.close(ours)
        assert event_log(tmp_path) == [(1009, pid)]
        assert died(tmp_path) == [pid]

    run(scenario)


@pytest.mark.parametrize("hotfix", [0, 1])
def test_killed_while_it_serves(tmp_path: Path, hotfix: int) -> None:
    """What it holds is lost, and what waits for it alone; what waits for any worker is answered."""

    async def scenario() -> None:
        settings = AppPool(PendingReceives=2)
        async with pool_of(tmp_path, settings, scripted(), hotfix) as pool:
            await pool.ready
            (pid,) = pids(pool, "serving")
            client = Client()
            held = deliver(pool, "/hold", "/hold", client=client)
            bound = deliver(pool, "/answer", client=client)
            free = deliver(pool, "/answer", "/answer")
            os.kill(pid, signal.SIGKILL)
            assert await ends([*held, *bound]) == [LOST] * 3
            assert await ends(free) == ["answer 200"] * 2
            assert await ends(deliver(pool, "/answer", client=client)) == ["answer 200"]
            assert gone(pid)
        assert event_log(tmp_path) == [(1009, pid)]

    run(scenario)


@pytest.mark.parametrize("alone", [0, 1])
def test_killed_while_it_shuts_down(tmp_path: Path, alone: int) -> None:
    """1009, for it did not end as it was told to; only what it held is lost."""
    settings = AppPool(DisallowOverlappingRotation=alone)

    async def scenario() -> None:
        async with pool_of(tmp_path, settings, scripted(stop="pass")) as pool:
            await pool.ready
            (old,) = pids(pool, "serving")
            held = deliver(pool, "/hold", "/hold")
            pool.recycle()
            await until(lambda: pids(pool, "shutting down") == [old])
            others = deliver(pool, "/answer", "/answer")
            os.kill(old, signal.SIGKILL)
            assert await ends(held) == [LOST] * 2
            assert await ends(others) == ["answer 200"] * 2
            await until(lambda: gone(old))
        assert event_log(tmp_path) == [(1009, old)]

    run(scenario)


@pytest.mark.parametrize("end", [KILL, HANG])
@pytest.mark.parametrize("message", ["answer(message.seq)", "Pong()"])
def test_killed_in_the_middle_of_a_frame(tmp_path: Path, message: str, end: str) -> None:
    """Half an answer is none, and one that hangs behind it is as good as dead once it is killed."""

    async def scenario() -> None:
        async with pool_of(tmp_path, code=scripted()) as pool:
            await pool.ready
            (pid,) = pids(pool, "serving")
            held = deliver(pool, "/hold")
            answered = deliver(pool, "/answer")
            told = tell(pool, HALF.format(message) + end)
            if end == HANG:
                await until(lambda: state(pid) == "T")
                os.kill(pid, signal.SIGKILL)
            assert await ends([*held, told]) == [LOST] * 2
            assert await ends(answered) == ["answer 200"]
            assert await answers(pool)
            assert gone(pid)
        assert event_log(tmp_path) == [(1009, pid)]

    run(scenario)


def state(pid: int) -> str:
    """Give the state of a process, as proc_pid_stat(5) has it."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_killed_in_the_middle_of_reading_a_large_request(tmp_path: Path) -> None:
    """What the kernel still has of it, and what the front has, goes nowhere."""

    async def scenario() -> None:
        async with pool_of(tmp_path, code=scripted()) as pool:
            await pool.ready
            (pid,) = pids(pool, "serving")
            told = tell(pool, "os.read(fd, 100_000); os.read(fd, 100_000); " + KILL)
            large = put(pool, LARGE)
            assert await ends([told, large]) == [LOST] * 2
            assert await answers(pool)
            assert gone(pid)
        assert event_log(tmp_path) == [(1009, pid)]

    run(scenario)


# Not doing what they should.


def unready(marker: Path) -> str:
    """Give code that says hello only if a file is there."""
    return f"if os.path.exists({str(marker)!r}): {HELLO}"


def test_one_that_never_says_ready_is_killed_at_the_limit(tmp_path: Path) -> None:
    """1012 and N/A for what waits, on and on; once one comes up, all is well again."""
    marker = tmp_path / "marker"
    marker.touch()
    slow = AppPool(RapidFailProtection=0, DisallowRotationOnConfigChange=1)
    hasty = replace(slow, StartupTimeLimit=0.1)

    async def scenario() -> None:
        async with pool_of(tmp_path, slow, scripted(unready(marker))) as pool:
            await pool.ready
            (first,) = pids(pool, "serving")
            marker.unlink()
            pool.configure(hasty)
            os.kill(first, signal.SIGKILL)
            assert await ends(deliver(pool, "/hold")) == [LOST]
            waits = deliver(pool, "/answer", "/answer")
            assert await ends(waits) == ["refuse N/A"] * 2
            assert await ends(deliver(pool, "/answer")) == ["refuse N/A"]
            await until(lambda: [number for number, _ in event_log(tmp_path)][:2] == [1009, 1012])
            pool.configure(slow)
            marker.touch()
            await until(lambda: bool(pids(pool, "serving")))
            assert await answers(pool)
        logged = event_log(tmp_path)
        assert {number for number, _ in logged[1:]} == {1012}
        assert died(tmp_path) == [pid for _, pid in logged]

    run(scenario)


def test_ones_that_never_say_ready_turn_the_pool_off(tmp_path: Path) -> None:
    """Each 1012 is a failure, and its kill is no second one: the third turns the pool off."""
    marker = tmp_path / "marker"
    settings = AppPool(StartupTimeLimit=0.1, RapidFailProtectionMaxCrashes=3)

    async def scenario() -> None:
        async with pool_of(tmp_path, settings, scripted(unready(marker))) as pool:
            await until(lambda: pool.statistics().state == "disabled")
            assert await ends(deliver(pool, "/answer")) == ["refuse AppOffline"]
            await until(lambda: not pool.statistics().workers)
            assert pool.ready.exception() is not None
        assert [number for number, _ in event_log(tmp_path)] == [1012, 1012, 1012, 1002]

    run(scenario)


@pytest.mark.parametrize("stop", [0, 1])
def test_one_that_goes_on_although_it_was_told_to_stop_is_killed(tmp_path: Path, stop: int) -> None:
    """1013, whether it is recycled or the pool is stopped; what it has not answered is lost."""

    async def scenario() -> None:
        settings = AppPool(ShutdownTimeLimit=0.2)
        async with pool_of(tmp_path, settings, scripted(stop="pass")) as pool:
            await pool.ready
            (old,) = pids(pool, "serving")
            held = deliver(pool, "/hold")
            (pool.stop_pool if stop else pool.recycle)()
            assert await ends(held) == [LOST]
            await until(lambda: gone(old))
            after = await ends(deliver(pool, "/answer"))
            assert after == ["refuse Disabled" if stop else "answer 200"]
        assert event_log(tmp_path) == [(1013, old)]

    run(scenario)


def test_the_end_does_not_wait_for_one_that_is_stopped_by_a_signal(tmp_path: Path) -> None:
    """SIGSTOP lets nothing be answered; SIGKILL ends it all the same."""

    async def scenario() -> None:
        async with pool_of(tmp_path, code=scripted()) as pool:
            await pool.ready
            (pid,) = pool.signal_worker("hang")
            held = deliver(pool, "/hold")
            await pool.end(0.1)
            assert await ends(held) == [LOST]
            assert gone(pid)
        assert ("worker_killed", pid, None) in events(tmp_path)

    run(scenario)
