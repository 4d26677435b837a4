"""A real listener and real connections, with a pool that ends when it is told to."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import cast

import pytest

from tests.server.httpsys.serving import Client
from vaultstorm_server.afd.listener import Listener, open_listener
from vaultstorm_server.httpsys.httperr import ErrorLog
from vaultstorm_server.httpsys.request import Request
from vaultstorm_server.httpsys.service import HttpSys
from vaultstorm_server.iis_reset import IisReset
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import Settings, Tcpip
from vaultstorm_server.w3svc.pool import Pool

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Workers:
    """The pool's face: answers at once or when it is told to, and ends when its gate is open."""

    def __init__(self, did: list[object]) -> None:
        self.did = did
        self.holding = False
        self.refusal = ""
        self.requests: list[Request] = []
        self.may_end = asyncio.Event()
        self.may_end.set()

    def deliver(self, request: Request) -> None:
        """Answer, or keep; refuse while the pool is off."""
        self.requests.append(request)
        if self.refusal:
            request.refuse(self.refusal)
        elif not self.holding:
            request.answer(200, [], b"served")

    async def end(self, grace: float, reason: str | None = None) -> None:
        """End, once the gate is open."""
        self.did.append("end" if reason is None else f"end {reason}")
        self.refusal = reason or self.refusal or "N/A"
        await self.may_end.wait()

    def start_pool(self) -> None:
        """Start."""
        self.did.append("start_pool")
        self.refusal = ""

    def use(self, command: Sequence[str]) -> None:
        """Take another command."""
        self.did.append(command)

    def replace_http_sys(self, hotfix: int) -> None:
        """Bind in another way."""
        self.did.append(("KB908739", hotfix))


class Stage:
    """What a test works with; `real` is a pool to take in the place of the double."""

    def __init__(self, style: str, directory: Path, real: Pool | None = None) -> None:
        loop = asyncio.get_running_loop()
        settings = Settings(tcpip=Tcpip(Overflow=style))
        self.did: list[object] = []
        self.pool = Workers(self.did)
        self.stopping = asyncio.Event()
        self.journal = JournalFile(directory, "front", loop)
        errors = ErrorLog(None, settings.httpsys)
        pool = real or cast(Pool, self.pool)
        self.http = HttpSys(
            loop, settings.httpsys, None, pool.deliver, self.journal, errors, "DefaultAppPool"
        )
        self.listener: Listener = open_listener(
            loop, "127.0.0.1", 0, settings, self._take, self.journal
        )
        self.port = self.listener.port
        self.reset = IisReset(
            self.listener,
            self.http,
            pool,
            self.note,
            self.stopping,
        )

    def note(self, name: str, detail: str | None) -> None:
        """Keep an event."""
        self.did.append((name, detail))

    def _take(self, sock: socket.socket, peer: str) -> None:
        host, _, port = peer.rpartition(":")
        self.http.take(sock, (host, int(port)))

    async def client(self) -> Client:
        """Connect."""
        return await asyncio.to_thread(Client, self.port, None)

    async def get(self) -> bytes:
        """Get an answer on a connection of its own."""
        client = await self.client()
        body = await asyncio.to_thread(client.get)
        client.close()
        return body

    async def refused(self) -> None:
        """See that nobody listens."""
        with pytest.raises(ConnectionRefusedError):
            await self.client()

    def begin(self) -> "asyncio.Task[float]":
        """Begin a reset."""
        return asyncio.get_running_loop().create_task(self.reset.run())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds."""
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  (conditions are of the server's own objects)
                await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def staged(style: str, directory: Path, real: Pool | None = None) -> AsyncIterator[Stage]:
    """Have everything run, and close it."""
    stage = Stage(style, directory, real)
    try:
        yield stage
    finally:
        stage.stopping.set()
        stage.pool.may_end.set()
        stage.listener.close()
        await stage.reset.ended()
        await stage.http.drain(0)
        stage.journal.close()
