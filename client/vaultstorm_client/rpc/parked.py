"""The one of a client's two connections that it does not use at the moment."""

import socket
from typing import TYPE_CHECKING

from vaultstorm_client.lingering import Lingering
from vaultstorm_client.loop import NEVER
from vaultstorm_client.rpc.exporters import Where
from vaultstorm_client.stream import Stream
from vaultstorm_wire.dcerpc.connection import Connection

if TYPE_CHECKING:
    from vaultstorm_client.engine import Engine


class Parked:
    """Keeps a connection with all that belongs to it, and notices its end.

    Args:
        engine: where its end is counted: no request is out, so it is no loss.
        sock: the connection, which the loop watches.
        stream: likewise, for its bytes.
        wire: its protocol.
        where: what it leads to.
        number: which connection of its process it is.
        nth: how many requests it has carried.
        local: the client's own address on it.
    """

    __slots__ = (
        "_engine",
        "armed",
        "deadline",
        "local",
        "nth",
        "number",
        "sock",
        "stream",
        "where",
        "wire",
    )

    def __init__(
        self,
        engine: "Engine",
        sock: socket.socket,
        stream: Stream,
        wire: Connection,
        where: Where,
        number: int,
        nth: int,
        local: str | None,
    ) -> None:
        self.deadline = self.armed = NEVER
        self._engine = engine
        self.sock: socket.socket | None = sock
        self.stream = stream
        self.wire = wire
        self.where = where
        self.number = number
        self.nth = nth
        self.local = local
        engine.loop.hand_over(sock.fileno(), self)

    def ready(self) -> None:
        """See what happens to it: nothing was asked for, so that it is of no more use."""
        try:
            data = self.stream.receive()
        except OSError:
            data = b""
        if data is not None:
            assert self.sock is not None
            self._engine.tally.counts.idle_closed += 1
            self._engine.loop.forget(self.sock.fileno())
            self.sock.close()
            self.sock = None

    def expired(self, now: float) -> None:
        """Do nothing: it has no deadline."""

    def leave(self) -> None:
        """Part from the server in good order."""
        if self.sock is not None:
            Lingering(self._engine.loop, self.sock)
            self.sock = None
