"""`iisreset`: everything that serves is stopped and started, and the port stays the same."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog

from vaultstorm_server import clock
from vaultstorm_server.afd.listener import Listener
from vaultstorm_server.w3svc.pool import Pool
from vaultstorm_wire.errors import MachineError

if TYPE_CHECKING:
    from vaultstorm_server.httpsys.service import HttpSys

log = structlog.get_logger()

# Together they stay below the 5 s that a stop may take, which may come in the middle of a reset.
DRAIN_GRACE: Final = 3.0
"""Seconds that requests in flight have to be answered in."""
POOL_GRACE: Final = 1.0
"""Seconds that the workers have to end by themselves."""
RETRY_AFTER: Final = 0.1
"""Seconds until the next try where another program has taken the port."""

Note = Callable[[str, str | None], None]


class IisReset:
    """Stops and starts the server's parts, one reset at a time.

    Clients that connect meanwhile are refused, requests in flight are answered, idle connections
    get FIN, and the workers end and are replaced. What was counted goes on being counted, a closed
    gate stays closed, and a pool that was off is on afterwards.

    Args:
        listener: of the port.
        http: the connections.
        pool: the workers.
        note: journals an event and its detail.
        stopping: set when the server stops, which a reset does not undo.
    """

    def __init__(
        self, listener: Listener, http: "HttpSys", pool: Pool, note: Note, stopping: asyncio.Event
    ) -> None:
        self._listener = listener
        self._http = http
        self._pool = pool
        self._note = note
        self._stopping = stopping
        self._task: asyncio.Task[float] | None = None

    @property
    def under_way(self) -> bool:
        """Whether one has begun and not ended."""
        return self._task is not None and not self._task.done()

    def check(self) -> None:
        """See that the server is neither stopping nor being reset.

        Raises:
            MachineError: it is.
        """
        if self._stopping.is_set():
            raise MachineError("the server is stopping: start another one")
        if self.under_way:
            raise MachineError("an iisreset is under way: ask again when it has ended")

    async def run(self) -> float:
        """Do it, and give the seconds it took. A caller that goes away does not end it.

        Raises:
            MachineError: one is under way, or the server is stopping or begins to.
        """
        self.check()
        self._task = asyncio.get_running_loop().create_task(self._run())
        return await asyncio.shield(self._task)

    async def ended(self) -> None:
        """Wait for the one that is under way; where the server stops, it starts nothing again."""
        if self._task is not None:
            await asyncio.wait((self._task,))
            self._task.exception()  # the caller has it, if there is still one

    async def _run(self) -> float:
        began = clock.now()
        log.info("iisreset_began")
        self._note("iisreset_began", None)
        self._listener.stop()
        await self._http.drain(DRAIN_GRACE, linger=False)
        await self._pool.end(POOL_GRACE)
        if not self._stopping.is_set():
            self._pool.start_pool()
            self._http.resume()
            await self._listen()
        if self._stopping.is_set():
            self._note("iisreset_ended", "stopping")
            raise MachineError("the server was stopped before its reset had ended")
        log.info("iisreset_ended")
        self._note("iisreset_ended", None)
        return clock.now() - began

    async def _listen(self) -> None:
        """Listen again, as soon as nobody else does."""
        robbed = False
        while not self._stopping.is_set():
            try:
                self._listener.start()
            except OSError as error:
                if not robbed:
                    log.error("listen_again_failed", port=self._listener.port, error=error.strerror)
                robbed = True
                await asyncio.sleep(RETRY_AFTER)
            else:
                return
