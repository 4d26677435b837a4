"""A pool with real worker processes, and connections that remember how their requests ended."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import uvloop

from vaultstorm_server.httpsys.request import Request
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import AppPool, HttpSys, Settings, Vault
from vaultstorm_server.w3svc.command import worker_command
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_server.w3svc.process import CHANNEL
from vaultstorm_server.w3svc.worker import Worker
from vaultstorm_wire import journal

GATED = """
import os, sys
from vaultstorm_server.frames import *
from vaultstorm_server.messages import *
fd = int(sys.argv[1])
out = bytearray(); append(out, Hello(os.getpid())); os.write(fd, out)
frames = Frames(ToWorker)
while data := os.read(fd, 65536):
    for work in frames.feed(data):
        if isinstance(work, Ping):
            out = bytearray(); append(out, Pong()); os.write(fd, out); continue
        if isinstance(work, Stop):
            os._exit(0)
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
            case "/exit":
                os._exit(6)
"""
"""A worker that answers only what it is told to: a gate, where the vault answers everything."""
LINGERING = (
    "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})\n"
    + GATED.replace("os._exit(0)", "signal.sigwait({signal.SIGUSR1}); os._exit(0)")
)
"""One that is told to stop, and ends when it gets SIGUSR1: a gate in its shutdown."""
STUBBORN = GATED + "\nimport time\nwhile True: time.sleep(3600)\n"


class Client:
    """A kept connection: its requests remember how they ended."""

    def __init__(self) -> None:
        self.bound: Worker | None = None

    def respond(
        self, request: Request, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Note an answer."""
        assert isinstance(request, Req)
        request.outcome.set_result(f"answer {status}")

    def turn_down(self, request: Request, reason: str) -> None:
        """Note a refusal."""
        assert isinstance(request, Req)
        request.outcome.set_result(f"refuse {reason}")

    def cut(self, request: Request, reason: str) -> None:
        """Note a loss."""
        assert isinstance(request, Req)
        request.outcome.set_result(f"abandon {reason}")

    def reset(self, request: Request, reason: str) -> None:
        """Note a refusal by RST."""
        assert isinstance(request, Req)
        request.outcome.set_result(f"reset {reason}")


class Req(Request):
    """A request that knows its end: on a fresh connection, unless one is given."""

    def __init__(self, target: str, client: Client | None = None) -> None:
        self.outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        super().__init__(
            client or Client(),
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
    tmp_path: Path,
    apppool: AppPool | None = None,
    code: str | None = GATED,
    hotfix: int = 0,
    command: Sequence[str] = (),
) -> AsyncIterator[Pool]:
    """Start a pool, of `code` or else of `command`; leave none of its processes behind."""
    loop = asyncio.get_running_loop()
    records = JournalFile(tmp_path, "front", loop)
    settings = Settings(
        apppool=apppool or AppPool(),
        httpsys=HttpSys(KB908739=hotfix),
        vault=Vault(Directory=str(tmp_path / "vault")),
    )
    if code is not None and not command:
        command = (sys.executable, "-c", code, CHANNEL)
    pool = Pool(loop, settings, records, command or worker_command(settings, tmp_path))
    pool.start()
    try:
        yield pool
        assert pool.statistics().bugs == 0
    finally:
        pool.kill()
        records.close()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on uvloop."""

    async def main() -> None:
        await scenario()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def deliver(pool: Pool, *targets: str, client: Client | None = None) -> list[Req]:
    """Give the pool some requests, each on a connection of its own unless one is given."""
    requests = [Req(target, client) for target in targets]
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


def event_log(directory: Path) -> list[tuple[int | None, int | None]]:
    """Read the entries of the event log in the front's journal: number and process."""
    with (directory / f"front-{os.getpid()}.ndjson").open("rb") as lines:
        found = [record for record in journal.read(lines) if isinstance(record, journal.Event)]
    return [(e.event_id, e.worker) for e in found if e.name == "event_log"]


def gone(pid: int) -> bool:
    """Tell whether a child has been reaped, and leave that to whom it belongs."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False
