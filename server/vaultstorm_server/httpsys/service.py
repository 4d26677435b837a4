"""HTTP.SYS as a whole: takes connections in, watches their deadlines, and drains."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vaultstorm_server.httpsys.connection import Connection, Surplus
from vaultstorm_server.httpsys.endpoint import LINGER_TIME, Endpoint
from vaultstorm_server.httpsys.httperr import ErrorLog
from vaultstorm_server.httpsys.request import Request
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import HttpSys as Settings


@dataclass(frozen=True, slots=True)
class Statistics:
    """What HTTP.SYS has done so far.

    Attributes:
        open: connections at present.
        taken: connections ever.
        handshakes: of TLS, done.
        handshakes_failed: of TLS, not done: garbage, refused, or left in the middle.
        requests: whole, well-formed heads.
        answered: requests of which the whole answer went out, error answers included.
        reasons: lines of HTTPERR by reason, written or not.
        bugs: connections closed for an error of ours.
    """

    open: int
    taken: int
    handshakes: int
    handshakes_failed: int
    requests: int
    answered: int
    reasons: Mapping[str, int]
    bugs: int


class HttpSys:
    """Serves every connection it is given.

    Args:
        loop: runs it; the connections are driven by its add_reader and add_writer.
        settings: the limits and timers.
        tls: the context for HTTPS; None for plain HTTP.
        deliver: takes each complete request, and sees to it that it is answered, refused or
            abandoned, at once or later.
        journal: gets one record per request.
        errors: the HTTPERR log.
        pool_name: the application pool's, in HTTPERR.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: Settings,
        tls: ssl.SSLContext | None,
        deliver: Callable[[Request], None],
        journal: JournalFile,
        errors: ErrorLog,
        pool_name: str,
    ) -> None:
        self._endpoint = Endpoint(loop, settings, tls, deliver, journal, errors, pool_name)
        self._loop = loop
        self._taken = 0
        self._stopped = False
        timers = (
            settings.ConnectionTimeout,
            settings.HeaderWaitTimeout or LINGER_TIME,
            LINGER_TIME,
        )
        self._interval = min(1.0, min(timers) / 4)
        self._sweeping = loop.call_later(self._interval, self._sweep)

    def take(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        """Serve a connection that the application has accepted; it is this object's from here on.

        Args:
            sock: connected.
            peer: the client's address and port; what IPv6 adds to them is not looked at.
        """
        if self._stopped:
            sock.close()
            return
        self._taken += 1
        try:
            sock.setblocking(False)
            # A pipelined answer would wait for the ACK of the one before.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = self._kind()(self._endpoint, sock, (peer[0], peer[1]), self._taken)
        except OSError:
            sock.close()  # reset while it stood in the accept queue
            return
        self._endpoint.connections.add(connection)
        connection.start()

    def _kind(self) -> type[Connection]:
        """Tell whether one more connection is served; all count until they are closed."""
        full = len(self._endpoint.connections) >= self._endpoint.settings.MaxConnections
        return Surplus if full else Connection

    @property
    def open(self) -> int:
        """Connections at present."""
        return len(self._endpoint.connections)

    def statistics(self) -> Statistics:
        """Count what was done so far."""
        endpoint = self._endpoint
        return Statistics(
            open=self.open,
            taken=self._taken,
            handshakes=endpoint.handshakes,
            handshakes_failed=endpoint.handshakes_failed,
            requests=endpoint.requests,
            answered=endpoint.answered,
            reasons=MappingProxyType(dict(endpoint.reasons)),
            bugs=endpoint.bugs,
        )

    def stop_accepting(self) -> None:
        """Take no further connection, and keep none after its answer."""
        self._stopped = True
        self._endpoint.draining = True

    async def drain(self, grace: float, *, linger: bool = True) -> None:
        """End: idle connections at once, requests in flight when they are answered.

        Only `resume` has connections taken again.

        Args:
            grace: seconds after which everything left is closed.
            linger: wait for the clients to close their side as well; without, those that have been
                told to are left to their time, since the server goes on.
        """
        self.stop_accepting()
        endpoint = self._endpoint
        for connection in tuple(endpoint.connections):
            connection.finish()
        done = asyncio.Event()

        def look() -> None:
            if len(endpoint.connections) == (0 if linger else len(endpoint.lingering)):
                done.set()

        endpoint.on_end = look
        look()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), grace)
        endpoint.on_end = None
        left = endpoint.connections if linger else endpoint.connections - endpoint.lingering
        for connection in tuple(left):
            connection.destroy()
        self._sweeping.cancel()

    def resume(self) -> None:
        """Take connections again, after a `drain`; the counts go on."""
        self._stopped = False
        self._endpoint.draining = False
        self._sweeping.cancel()
        self._sweeping = self._loop.call_later(self._interval, self._sweep)

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in [c for c in self._endpoint.connections if c.deadline <= now]:
            connection.expire()
        self._sweeping = self._loop.call_later(self._interval, self._sweep)
