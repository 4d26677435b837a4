"""A whole HTTP.SYS on a real port, and blocking clients in threads, for the tests beside it."""

import asyncio
import contextlib
import functools
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import uvloop

from vaultstorm_server.httpsys import tls
from vaultstorm_server.httpsys.httperr import ErrorLog
from vaultstorm_server.httpsys.request import Request
from vaultstorm_server.httpsys.service import HttpSys
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import HttpSys as Settings
from vaultstorm_wire import journal as records

T = TypeVar("T")
P = ParamSpec("P")
PATIENCE = 20.0
LINES = b"\r\n\r\n"


def on_uvloop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on uvloop, as the server runs."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(test(*arguments, **named))

    return run


class Client:
    """A blocking client that sees what is on the wire."""

    def __init__(self, port: int, trust: ssl.SSLContext | None) -> None:
        raw = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.port: int = raw.getsockname()[1]
        self.sock = (
            trust.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
            if trust
            else raw
        )
        self._kept = b""

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        self.sock.sendall(data)

    def trickle(self, data: bytes, size: int) -> None:
        """Send `data` in pieces."""
        for start in range(0, len(data), size):
            self.sock.sendall(data[start : start + size])

    def answer(self, *, head_only: bool = False) -> tuple[bytes, bytes]:
        """Read one answer: its head and its body."""
        while LINES not in self._kept:
            self._more()
        head, _, self._kept = self._kept.partition(LINES)
        length = 0 if head_only else int(value(head, b"Content-Length") or b"0")
        while len(self._kept) < length:
            self._more()
        body, self._kept = self._kept[:length], self._kept[length:]
        return head, body

    def get(self, target: bytes = b"/") -> bytes:
        """Get the body of `target`."""
        self.send(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return self.answer()[1]

    def rest(self) -> bytes:
        """Read up to the server's FIN; a RST raises."""
        kept, self._kept = self._kept, b""
        while data := self.sock.recv(65536):
            kept += data
        return kept

    def close(self) -> None:
        """Close with a FIN."""
        self.sock.close()

    def reset(self) -> None:
        """Close with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _more(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise EOFError(self._kept)
        self._kept += data


def value(head: bytes, name: bytes) -> bytes | None:
    """Give a field of a head."""
    for line in head.split(b"\r\n")[1:]:
        key, _, found = line.partition(b": ")
        if key == name:
            return found
    return None


@dataclass
class Site:
    """What a test works with."""

    http: HttpSys
    port: int
    trust: ssl.SSLContext | None
    directory: Path
    errors: ErrorLog
    journal: JournalFile
    requests: list[Request]
    holding: bool = False
    """Requests wait in `requests` instead of being answered at once."""
    failing: bool = False
    """The pool raises, as one with a bug would."""
    clients: list[Client] = field(default_factory=list)

    def deliver(self, request: Request) -> None:
        """Take a request as the pool does: its answer tells what it was."""
        if self.failing:
            raise RuntimeError("a bug in the pool")
        self.requests.append(request)
        if not self.holding:
            self.echo(request)

    @staticmethod
    def echo(request: Request) -> None:
        """Answer with method, target and body."""
        body = f"{request.method} {request.target} ".encode() + request.body
        request.answer(200, [(b"Content-Type", b"text/plain")], body)

    async def connect(self) -> Client:
        """Connect a client."""
        client = await self.run(lambda: Client(self.port, self.trust))
        self.clients.append(client)
        return client

    async def run(self, call: Callable[[], T]) -> T:
        """Run what blocks in a thread."""
        return await asyncio.wait_for(asyncio.to_thread(call), PATIENCE)

    async def request(self, number: int = 1) -> Request:
        """Wait for the n-th request."""
        await self.until(lambda: len(self.requests) >= number)
        return self.requests[number - 1]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds."""
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110  (conditions are of the server's own objects)
                await asyncio.sleep(0.002)

    def lines(self) -> list[str]:
        """Read HTTPERR: each line without date, time and the addresses."""
        self.errors.flush(0.0)
        assert self.errors.path is not None
        text = self.errors.path.read_text("ascii")
        return [line.split(" ", 6)[6] for line in text.splitlines() if not line.startswith("#")]

    def timers(self) -> list[tuple[str, str | None]]:
        """Read which timers the journal says have closed whose connection."""
        self.journal.flush()
        assert self.journal.path is not None
        with self.journal.path.open("rb") as file:
            found = [record for record in records.read(file) if isinstance(record, records.Event)]
        return [(event.name, event.detail) for event in found]

    def records(self) -> list[records.Request]:
        """Read the journal's requests."""
        self.journal.flush()
        assert self.journal.path is not None
        with self.journal.path.open("rb") as file:
            return [r for r in records.read(file) if isinstance(r, records.Request)]


@contextlib.asynccontextmanager
async def serving(
    directory: Path, settings: Settings | None = None, *, https: bool = False
) -> AsyncIterator[Site]:
    """Serve on a free port, and end with nothing left open and no bug met."""
    loop = asyncio.get_running_loop()
    settings = settings or Settings()
    context, trust = None, None
    if https:
        context, ca = tls.server_context(directory / "tls", "localhost")
        trust = ssl.create_default_context(cafile=ca)
    journal_file = JournalFile(directory / "journal", "front", loop)
    errors = ErrorLog(directory / "httperr", settings, loop)
    requests: list[Request] = []
    http = HttpSys(
        loop, settings, context, lambda r: site.deliver(r), journal_file, errors, "DefaultAppPool"
    )
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        site = Site(http, port, trust, directory, errors, journal_file, requests)

        def accept() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    http.take(*listener.accept())

        loop.add_reader(listener.fileno(), accept)
        try:
            yield site
        finally:
            loop.remove_reader(listener.fileno())
            for client in site.clients:
                client.close()
            await http.drain(0)
            journal_file.close()
            errors.close(0.0)
    statistics = http.statistics()
    assert statistics.open == 0
    assert statistics.bugs == (1 if site.failing else 0)
