"""`iisreset`: everything that serves is stopped and started, and the port stays the same."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

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

    Whatever else stops and starts parts of the server does it by `exclusively`, with these halves.

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
        self._what = ""
        self._task: asyncio.Task[float] | None = None

    @property
    def under_way(self) -> bool:
        """Whether something has begun and not ended."""
        return self._task is not None and not self._task.done()

    @property
    def stopping(self) -> bool:
        """Whether the server stops: then nothing is to be started again."""
        return self._stopping.is_set()

    def check(self) -> None:
        """See that the server is neither stopping nor being reset.

        Raises:
            MachineError: it is.
        """
        if self.stopping:
            raise MachineError("the server is stopping: start another one")
        if self.under_way:
            raise MachineError(f"{self._what} is under way: ask again when it has ended")

    async def run(self) -> float:
        """Do it, and give the seconds it took. A caller that goes away does not end it.

        Raises:
            MachineError: one is under way, or the server is stopping or begins to.
        """
        return await self.exclusively("an iisreset", self._run)

    async def exclusively(self, what: str, do: Callable[[], Coroutine[Any, Any, None]]) -> float:
        """Do something with nothing else under way, whoever waits for it; give the seconds it took.

        Raises:
            MachineError: something is under way, or the server is stopping; and what `do` raises.
        """
        self.check()
        self._what = what
        self._task = asyncio.get_running_loop().create_task(_timed(do))
        return await asyncio.shield(self._task)

    async def ended(self) -> None:
        """Wait for the one that is under way; where the server stops, it starts nothing again."""
        if self._task is not None:
            await asyncio.wait((self._task,))
            self._task.exception()  # the caller has it, if there is still one

    async def stop_pool(self) -> None:
        """Turn the pool off: 503 Disabled, and what runs has the time of requests in flight to end.

        A server that begins to stop is not waited for: it gives them that time itself.
        """
        loop = asyncio.get_running_loop()
        ending = loop.create_task(self._pool.end(DRAIN_GRACE, "Disabled"))
        stopping = loop.create_task(self._stopping.wait())
        try:
            await asyncio.wait((ending, stopping), return_when=asyncio.FIRST_COMPLETED)
            if ending.done():
                ending.result()
        finally:
            for task in (ending, stopping):
                task.cancel()
            await asyncio.wait((ending, stopping))

    async def stop_iis(self) -> None:
        """Stop everything: the port, the connections, the workers."""
        self._listener.stop()
        await self._http.drain(DRAIN_GRACE, linger=False)
        await self._pool.end(POOL_GRACE)

    def start_pool(self) -> None:
        """Turn the pool on."""
        self._pool.start_pool()

    async def start_iis(self) -> None:
        """Take connections again, on the same port; the pool stays as it is."""
        self._http.resume()
        await self._listen()

    async def _run(self) -> None:
        log.info("iisreset_began")
        self._note("iisreset_began", None)
        await self.stop_iis()
        if not self.stopping:
            self.start_pool()
            await self.start_iis()
        if self.stopping:
            self._note("iisreset_ended", "stopping")
            raise MachineError("the server was stopped before its reset had ended")
        log.info("iisreset_ended")
        self._note("iisreset_ended", None)

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


async def _timed(do: Callable[[], Awaitable[None]]) -> float:
    began = clock.now()
    await do()
    return clock.now() - began
