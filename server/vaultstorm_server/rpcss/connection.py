"""One connection of an RPC client: bytes to events and back, and how it ends."""

import asyncio
import socket
from collections.abc import Callable
from enum import IntEnum, auto
from typing import TYPE_CHECKING, Any, Final

import structlog

from vaultstorm_server import clock
from vaultstorm_server.httpsys.stream import Stream
from vaultstorm_wire.dcerpc import negotiation
from vaultstorm_wire.dcerpc.connection import NEED_DATA, RemoteProtocolError, Role
from vaultstorm_wire.dcerpc.connection import Connection as Wire
from vaultstorm_wire.dcerpc.events import (
    Auth3,
    Bind,
    BindAck,
    BindNak,
    Cancel,
    Closed,
    Event,
    Orphaned,
    Request,
)
from vaultstorm_wire.dcerpc.status import NakReason
from vaultstorm_wire.dcerpc.syntax import Syntax

if TYPE_CHECKING:
    from vaultstorm_server.rpcss.endpoint import Endpoint

log = structlog.get_logger()

CALLS_MAX: Final = 64
"""Calls in progress of one connection, beyond which nothing more is read from it."""
UNSENT_MAX: Final = 256 << 10
"""Bytes that a client has not taken, beyond which it is not served."""
LINGER_TIME: Final = 2.0
"""Seconds that a client has to take its last answer and close its side."""


class State(IntEnum):
    """Where a connection stands."""

    OPEN = auto()
    ENDING = auto()
    """What still waits is sent, and nothing more is served."""
    LINGER = auto()
    """Our FIN is out; what the client still sends is discarded until its own."""
    CLOSED = auto()


class Connection:
    """One connection, from the accept to the close.

    Args:
        endpoint: whose it is.
        sock: connected and non-blocking; owned by the connection from here on.
        peer: the client's address and port, as one text.
        number: its name in the journal.

    Attributes:
        handles: context handles, those of the association group from the bind on.
        state: where it stands.
    """

    __slots__ = (
        "_deadline",
        "_endpoint",
        "_group",
        "_held",
        "_in_progress",
        "_local_host",
        "_out",
        "_received",
        "_stream",
        "_wire",
        "handles",
        "number",
        "peer",
        "state",
    )

    def __init__(self, endpoint: "Endpoint", sock: socket.socket, peer: str, number: int) -> None:
        self._endpoint = endpoint
        self._stream = Stream(endpoint.loop, sock, self._on_readable, self._on_writable)
        self._wire = Wire(Role.SERVER, max_fragment=endpoint.max_fragment, budget=endpoint.budget)
        self._out: list[bytes] = []
        self._received = 0.0
        self._in_progress = 0
        self._held = False
        self._group = 0
        self._local_host: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.handles: dict[bytes, object] = {}
        self.number = number
        self.peer = peer
        self.state = State.OPEN

    @property
    def open(self) -> bool:
        """Whether an answer would still reach the client."""
        return self.state is State.OPEN

    @property
    def local_host(self) -> str:
        """The address of ours that the client has connected to."""
        if self._local_host is None:
            self._local_host = self._stream.sock.getsockname()[0]
        return self._local_host

    def interface(self, context_id: int) -> Syntax | None:
        """Give the interface of a presentation context that was accepted."""
        return self._wire.interface(context_id)

    def start(self) -> None:
        """Begin to read."""
        self._stream.read_on()

    def send(self, event: Event) -> None:
        """Send, at the end of this turn of the loop."""
        self._out.append(self._wire.send(event))
        self._endpoint.packets_out += 1
        self._endpoint.outbox.add(self)

    def call_began(self) -> None:
        """Note that the method of a call takes its time."""
        self._in_progress += 1

    def call_ended(self) -> None:
        """Note that it has ended, and go on with what has been kept waiting by it."""
        self._in_progress -= 1
        if self._held:
            self._advance()

    def write(self) -> None:
        """Send what waits."""
        if self.state is State.CLOSED:
            return
        data = b"".join(self._out)
        self._out.clear()
        try:
            self._stream.send(data)
        except OSError:
            self.close()
            return
        self._sent()

    def reset(self) -> None:
        """Close with a RST."""
        if self.state is not State.CLOSED:
            try:
                self._stream.reset()
            except OSError:
                log.debug("reset_failed", connection=self.number)
            self.close()

    def close(self) -> None:
        """Give everything back. More than once is fine."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._wire.send(Closed())
        self._stream.close()
        if self._deadline is not None:
            self._deadline.cancel()
        if self._group and self._endpoint.groups.leave(self._group):
            del self._endpoint.handles[self._group]
        self._endpoint.connections.discard(self)

    def __repr__(self) -> str:
        return f"<Connection {self.number} of {self.peer}, {self.state.name}>"

    # What the loop calls: nothing of it raises.

    def _on_readable(self) -> None:
        try:
            if self.state is State.LINGER:
                if self._stream.discard() == 0:
                    self.close()
                return
            data = self._stream.receive()
        except OSError:
            self.close()
            return
        if data is None or self.state is not State.OPEN:
            return
        self._received = clock.now()
        self._wire.receive_data(data)
        self._advance()

    def _on_writable(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            self.close()
            return
        self._sent()

    def _advance(self) -> None:
        """Serve what has arrived, as far as the client may have it served."""
        try:
            while self.state is State.OPEN:
                if self._in_progress >= CALLS_MAX or self._stream.unsent > UNSENT_MAX:
                    self._held = True
                    self._stream.pause()
                    return
                event = self._wire.next_event()
                if event is NEED_DATA:
                    break
                self._endpoint.packets_in += 1
                _ON[type(event)](self, event)
        except RemoteProtocolError as error:
            log.debug("rpc_protocol_error", peer=self.peer, error=str(error))
            self._finish(error.answer)
        except Exception:
            self._endpoint.bugs += 1
            log.exception("rpc_bug", connection=self.number)
            self.close()
        if self._held:
            self._held = False
            if self.state is State.OPEN:
                self._stream.read_on()

    # Events.

    def _bind(self, bind: Bind) -> None:
        endpoint = self._endpoint
        if bind.auth is not None:
            self._finish(self._wire.send(negotiation.refuse(bind, bind.auth)))
            return
        if not bind.alter:
            group = endpoint.groups.join(bind.group, self.peer.rpartition(":")[0])
            if group is None:
                nak = BindNak(bind.call_id, NakReason.NOT_SPECIFIED)
                self._finish(self._wire.send(nak))
                return
            self._group = group
            self.handles = endpoint.handles.setdefault(group, self.handles)
        sizes = self._wire.max_xmit, self._wire.max_xmit  # an alter_context's own mean nothing
        if not bind.alter:
            sizes = negotiation.fragment_sizes(bind, endpoint.max_fragment)
        self.send(
            BindAck(
                bind.call_id,
                negotiation.answer(bind.contexts, endpoint.syntaxes),
                self._group,
                *sizes,
                address="" if bind.alter else str(endpoint.port),
                alter=bind.alter,
                multiplex=bind.multiplex,
            )
        )

    def _request(self, request: Request) -> None:
        self._endpoint.serve(self, request, self._received)

    def _ignore(self, event: Cancel | Auth3) -> None:
        """A cancel that the method does not look at; the third leg of no authentication."""

    def _leave(self, event: Orphaned) -> None:
        """Nobody waits for what is under way; what is ready is sent (MS-RPCE, note 101)."""
        self._finish(None)

    def _closed(self, event: Closed) -> None:
        """The client's FIN: what is ready is sent, if there is anything."""
        if self._out or self._stream.unsent:
            self._finish(None)
        else:
            self.close()

    # How it ends.

    def _finish(self, last: bytes | None) -> None:
        """Serve no more, send what waits, and close in good order.

        Args:
            last: goes out behind it.
        """
        if last:
            self._out.append(last)
        self.state = State.ENDING
        self._deadline = self._endpoint.loop.call_later(LINGER_TIME, self.close)
        self._stream.pause()
        self._endpoint.outbox.add(self)

    def _sent(self) -> None:
        """Go on when the socket has taken what there was."""
        if self._held:
            self._advance()
        elif self.state is State.ENDING and not self._stream.unsent:
            self._linger()

    def _linger(self) -> None:
        """Close our side, and wait a little for the client to close its own.

        A socket that is closed with input unread answers RST, which takes from the client what it
        has not read of its last answer.
        """
        self.state = State.LINGER
        try:
            self._stream.half_close()
        except OSError:
            self.close()
            return
        self._stream.read_on()


_ON: Final[dict[type, Callable[[Connection, Any], None]]] = {
    Bind: Connection._bind,
    Request: Connection._request,
    Cancel: Connection._ignore,
    Auth3: Connection._ignore,
    Orphaned: Connection._leave,
    Closed: Connection._closed,
}
"""What a server is told; everything else is a client's, and `Wire` does not let it pass."""
