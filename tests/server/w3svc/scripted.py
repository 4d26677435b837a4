"""A worker process that does what the requests tell it to: code in their bodies."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.w3svc.pooling import Client, Req, deliver, ends, run
from vaultstorm_server.w3svc.pool import Pool

HELLO = "say(Hello(os.getpid()))"
GOES = "os._exit(0)"
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
HANG = "os.kill(os.getpid(), signal.SIGSTOP)"
_WORKER = """
import os, signal, sys
from vaultstorm_server.frames import *
from vaultstorm_server.messages import *
fd = int(sys.argv[1])
frames = Frames(ToWorker)
def framed(*messages):
    out = bytearray()
    for message in messages:
        append(out, message)
    return bytes(out)
def write(data):
    while data:
        data = data[os.write(fd, data):]
def say(*messages):
    write(framed(*messages))
def answer(ticket):
    return Done(ticket, 200, [], b"")
def flood(data):
    while True:
        os.write(fd, data)
{start}
while data := os.read(fd, 65536):
    for message in frames.feed(data):
        match message:
            case Ping():
                say(Pong())
            case Stop():
                {stop}
            case Work(target="/do"):
                exec(message.body)
            case Work(target="/answer"):
                say(answer(message.seq))
"""


def scripted(start: str = HELLO, stop: str = GOES) -> str:
    """Give the code of a worker: what it does at its start, and when it is told to stop.

    It answers ``/answer``, runs the body of ``/do``, and holds every other request.
    """
    return _WORKER.format(start=start, stop=stop)


def gate(path: Path) -> str:
    """Give code that waits at a FIFO until someone has opened and closed its other end."""
    return f"if os.path.exists({str(path)!r}): open({str(path)!r}).read()"


def tell(pool: Pool, code: str, client: Client | None = None) -> Req:
    """Have a worker run some code; `message` in it is the request itself."""
    return put(pool, code.encode(), "/do", client)


def put(pool: Pool, body: bytes, target: str = "/hold", client: Client | None = None) -> Req:
    """Give the pool a request with a body."""
    request = Req(target, client)
    request.body = body
    pool.deliver(request)
    return request


async def answers(pool: Pool) -> bool:
    """Tell whether a request on a connection of its own is answered."""
    return await ends(deliver(pool, "/answer")) == ["answer 200"]


def pids(pool: Pool, state: str) -> list[int]:
    """Give the workers in a state, the oldest first."""
    return [worker.pid for worker in pool.statistics().workers if worker.state == state]


@pytest.fixture
def left() -> Iterator[None]:
    """See that no process, no zombie and no descriptor stays behind."""

    async def nothing() -> None:
        """Have uvloop open what it opens once for all loops."""

    run(nothing)
    before = _children(), _descriptors()
    yield
    assert (_children(), _descriptors()) == before


def _children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))
