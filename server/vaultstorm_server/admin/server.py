"""The control plane's listener: uvicorn, inside the loop and the life of the front process."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

from uvicorn import Config, Server

from vaultstorm_server.admin.app import Controlled, application

PATIENCE: Final = 1
"""Seconds that a request of the control plane has at the end."""


class _Server(Server):
    """A uvicorn that leaves the signals to the front process."""

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
            application(server),
            http="h11",
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
        if self._task is not None:
            await self._task
