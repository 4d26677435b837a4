"""The control plane's listener: uvicorn, inside the loop and the life of the front process."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

from vaultstorm_server.admin.app import Application, Controlled
from vaultstorm_server.lean import bare

with bare("uvicorn") as package:  # or else its command line and its process managers: 20 ms
    from uvicorn.config import Config

    setattr(package, "Config", Config)  # noqa: B010 - what follows takes it from there
    from uvicorn.lifespan import off  # noqa: F401 - `Config` would import it
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.server import Server

PATIENCE: Final = 1
"""Seconds that a request of the control plane has at the end."""
DATE: Final = 1.0
"""Seconds that a Date header holds: it counts them."""


class _Server(Server):
    """A uvicorn that leaves the signals to the front process, and sleeps until it is needed."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.ending = asyncio.Event()

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn's own looks for it ten times a second, and so finds it late."""
        while not await self.on_tick(0):  # which sets the Date of the answers
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DATE):
                    await self.ending.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Admin:
    """Serves the control plane on a socket that is bound.

    Args:
        sock: bound by `bind.bind`, closed at the end.
        server: does what is asked for.
    """

    def __init__(self, sock: socket.socket, server: Controlled) -> None:
        config = Config(
            Application(server),
            http=H11Protocol,
            ws="none",
            loop="none",
            lifespan="off",
            interface="asgi3",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=PATIENCE,
        )
        self._server = _Server(config)
        self._sock = sock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Serve from the next loop turn on."""
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._server.serve(sockets=[self._sock]))

    async def stop(self) -> None:
        """Finish the requests under way, and close."""
        self._server.should_exit = True
        self._server.ending.set()
        if self._task is not None:
            await self._task
