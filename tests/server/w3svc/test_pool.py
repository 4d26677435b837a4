"""The application pool with real worker processes."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import pytest
import uvloop
from msgspec.structs import replace

from vaultstorm_server.httpsys.request import Request
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import AppPool, Settings
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_server.w3svc.process import CHANNEL
from vaultstorm_wire import journal
from vaultstorm_wire.errors import MachineError

GATED = """
import os, sys
from vaultstorm_server.channel import *
fd = int(sys.argv[1])
out = bytearray(); append(out, Hello(os.getpid())); os.write(fd, out)
frames = Frames(ToWorker)
while data := os.read(fd, 65536):
    for work in frames.feed(data):
        match work.target:
            case "/answer":
                out = bytearray(); append(out, Done(work.seq, 200, [], b"")); os.write(fd, out)
            case "/answer-and-die":
                out = bytearray(); append(out, Done(work.seq, 200, [], b"")); os.write(fd, out)
                os._exit(5)
            case "/nonsense":
                os.write(fd, b"\\0\\0\\0\\1\\xc1")
            case "/twice":
                out = bytearray()
                for _ in "12":
                    append(out, Done(work.seq, 200, [], b""))
                os.write(fd, out)
            case "/hold":
                pass
"""
"""A worker that answers only what it is told to: a gate, where the vault answers everything."""
STUBBORN = GATED + "\nimport time\nwhile True: time.sleep(3600)\n"


class Client:
    """The connection of one request: it remembers how the request ended."""

    def __init__(self) -> None:
        self.outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def respond(
        self, request: Request, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Note an answer."""
        self.outcome.set_result(f"answer {status}")

    def turn_down(self, request: Request, reason: str) -> None:
        """Note a refusal."""
        self.outcome.set_result(f"refuse {reason}")

    def cut(self, request: Request, reason: str) -> None:
        """Note a loss."""
        self.outcome.set_result(f"abandon {reason}")


class Req(Request):
    """A request with its client."""

    def __init__(self, target: str) -> None:
        client = Client()
        self.outcome = client.outcome
        super().__init__(
            client,
            id=f"id-{target}",
            connection=1,
            peer="127.0.0.1:50000",
            method="GET",
            target=target,
            headers=[(b"host", b"x")],
            received=1.0,
        )


LOST = "abandon Connection_Abandoned_By_AppPool"


@contextlib.asynccontextmanager
async def pool_of(
    tmp_path: Path, apppool: AppPool | None = None, code: str | None = GATED
) -> AsyncIterator[Pool]:
    """Start a pool; leave none of its processes behind."""
    loop = asyncio.get_running_loop()
    records = JournalFile(tmp_path, "front", loop)
    settings = replace(Settings(), apppool=apppool or AppPool())
    command: Sequence[str] = (sys.executable, "-c", code, CHANNEL) if code is not None else ()
    pool = Pool(loop, settings, records, tmp_path, command)
    pool.start()
    try:
        yield pool
    finally:
        pool.kill()
        records.close()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on uvloop."""

    async def main() -> None:
        await scenario()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def deliver(pool: Pool, *targets: str) -> list[Req]:
    """Give the pool some requests."""
    requests = [Req(target) for target in targets]
    for request in requests:
        pool.deliver(request)
    return requests


async def ends(requests: Sequence[Req]) -> list[str]:
    """Wait for the ends of some requests."""
    return list(await asyncio.gather(*(request.outcome for request in requests)))


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so; the test's own time limit ends a wait in vain."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)  # a process's end and a state have no event to wait on


def events(directory: Path) -> list[tuple[str, int | None, str | None]]:
    """Read the events of the front's journal."""
    with (directory / f"front-{os.getpid()}.ndjson").open("rb") as lines:
        found = [record for record in journal.read(lines) if isinstance(record, journal.Event)]
    return [(event.name, event.worker, event.detail) for event in found]


def gone(pid: int) -> bool:
    """Tell whether a child has been reaped."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def test_the_vault_answers_and_stops_in_good_order(tmp_path: Path) -> None:
    """With the pool's own command a request gets the vault's answer, its pid and its time."""

    async def scenario() -> None:
        async with pool_of(tmp_path, code=None) as pool:
            requests = deliver(pool, "/AeXRSVault/status", "/elsewhere")  # before the hello
            assert await ends(requests) == ["answer 200", "answer 404"]
            (worker,) = pool.statistics().workers
            assert pool.ready.done()
            assert (worker.state, worker.served, worker.in_flight) == ("serving", 2, 0)
            assert repr(pool).startswith(f"<Pool DefaultAppPool: {worker.pid} serving; ")
            assert requests[0].worker == worker.pid
            assert requests[0].dispatched is not None
            await pool.stop(30)
            assert gone(worker.pid)
            assert pool.statistics().deaths == 0
        assert events(tmp_path) == [
            ("worker_started", worker.pid, None),
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
            await pool.stop(30)
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
            await pool.stop(30)
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
            await pool.stop(0.1)
            assert gone(worker.pid)
            assert pool.statistics().workers == ()

    run(scenario)
