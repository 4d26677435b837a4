"""The life of a connection below HTTP: handshake, deadlines, and how it is closed without a RST."""

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

import structlog

from vaultstorm_server.httpsys.endpoint import REASONS, Endpoint, State
from vaultstorm_server.httpsys.stream import Stream

log = structlog.get_logger()

READS_PER_TURN: Final = 16
LINGER_MAX: Final = 16 << 20
"""Bytes that are discarded after our FIN before the connection is closed on the client."""


class Link(ABC):
    """One connection; what it carries is for the subclass to say.

    Attributes:
        number: its name in the journal.
        peer: the client's address and port.
        peer_name: the same, as ``127.0.0.1:50000``.
        state: where it stands.
        deadline: when, by the loop's clock, it has stood there too long.
    """

    __slots__ = (
        "_discarded",
        "_endpoint",
        "_stream",
        "deadline",
        "number",
        "peer",
        "peer_name",
        "state",
    )

    def __init__(
        self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int], number: int
    ) -> None:
        self._endpoint = endpoint
        self._stream = Stream(endpoint.loop, sock, self.on_readable, self.on_writable)
        self._discarded = 0
        self.number = number
        self.peer = peer
        self.peer_name = f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"
        self._enter(State.IDLE if endpoint.tls is None else State.HANDSHAKE)

    def __repr__(self) -> str:
        return f"<Connection {self.number} of {self.peer_name}, {self.state.name}>"

    def start(self) -> None:
        """Begin to read."""
        self._stream.read_on()

    def local(self) -> tuple[str, int]:
        """Give the server's address and port, as this connection has it."""
        try:
            address = self._stream.sock.getsockname()
        except OSError:
            return ("", 0)
        return (address[0], address[1])

    # For the subclass.

    @abstractmethod
    def _read(self) -> None:
        """Read what is there."""

    @abstractmethod
    def _write(self) -> None:
        """Write what waits."""

    @abstractmethod
    def _lose(self, reason: str | None) -> None:
        """Write down why what is under way comes to nothing; without a reason, nothing is."""

    # What happens to a connection: nothing that is called from outside raises.

    def on_readable(self) -> None:
        """Read one step further."""
        self._guard(_READABLE.get(self.state, _read), self)

    def on_writable(self) -> None:
        """Write one step further."""
        self._guard(_WRITABLE.get(self.state, _write), self)

    def expire(self) -> None:
        """Do what is due when the deadline has passed."""
        self._guard(self._expired)

    def finish(self) -> None:
        """Close if no request is under way: the server stops."""
        self.on_readable()  # a request may have arrived this very moment
        if self.state in _AT_REST and not self._endpoint.waits(self):
            self._guard(self._linger)

    def destroy(self) -> None:
        """Close with whatever is under way: the server has no time left."""
        reason = _DESTROYED.get(self.state)
        self._lose(reason)
        if self.state < State.LINGER:
            self._guard(self._linger)
        self._close()

    def _guard(self, step: Callable[..., None], *arguments: Any) -> None:
        try:
            step(*arguments)
        except OSError:
            self._left()
        except Exception:
            self._endpoint.bugs += 1
            log.exception("httpsys_bug", connection=self.number, state=self.state.name)
            self._lose("Internal")
            self._close()

    def _enter(self, state: State) -> None:
        self.state = state
        self.deadline = self._endpoint.loop.time() + self._endpoint.timeouts[state]

    def _shake_hands(self) -> None:
        endpoint = self._endpoint
        assert endpoint.tls is not None
        if not endpoint.may_shake_hands(self):
            # Or every turn of the loop would go through all that wait, to serve a few of them.
            self._stream.pause()
            return
        self._stream.read_on()
        try:
            done = self._stream.handshake(endpoint.tls)
        except OSError:
            endpoint.handshakes_failed += 1
            self._linger()
            return
        if done:
            endpoint.handshakes += 1
            self._enter(State.IDLE)
            self._read()
        if endpoint.draining and self.state in _AT_REST:
            self._linger()

    def _expired(self) -> None:
        self._lose(REASONS.get(self.state))
        if self.state is State.LINGER:
            self._close()
        else:
            self._linger()

    def _left(self) -> None:
        """The client's FIN or RST: whatever is under way is over, and nothing is written."""
        if self.state is State.HANDSHAKE:
            self._endpoint.handshakes_failed += 1
        self._lose(None if self.state in _SILENT else "Connection_Dropped")
        self._close()

    def _linger(self) -> None:
        """Close our side, and wait a little for the client to close its own.

        A socket that is closed with input unread, or that gets input afterwards, answers RST, and a
        RST takes from the client what it has not read yet of its answer (RFC 9112, 9.6).
        """
        self._enter(State.LINGER)
        self._endpoint.linger(self)
        self._stream.half_close()
        self._stream.read_on()

    def _reset(self) -> None:
        """Close with a RST, which takes with it whatever the client has not read yet."""
        self._stream.reset()
        self._close()

    def _stall(self) -> None:
        """Say nothing and send nothing, until the client leaves or ConnectionTimeout is over."""
        if self._endpoint.draining:
            self._linger()
            return
        self._enter(State.STALLED)
        self._stream.read_on()

    def _discard(self) -> None:
        for _ in range(READS_PER_TURN):
            count = self._stream.discard()
            if count is None:
                return
            self._discarded += count
            if count == 0 or (self._discarded > LINGER_MAX and self.state is State.LINGER):
                self._close()
                return
        self._endpoint.loop.call_soon(self.on_readable)

    def _close(self) -> None:
        if self.state is not State.CLOSED:
            self.state = State.CLOSED
            self._stream.close()
            self._endpoint.forget(self)


def _nothing(_: Link) -> None:
    """Do what a closed connection does."""


def _read(link: Link) -> None:
    link._read()


def _write(link: Link) -> None:
    link._write()


_READABLE: Final[dict[State, Callable[[Link], None]]] = {
    State.HANDSHAKE: Link._shake_hands,
    State.STALLED: Link._discard,
    State.LINGER: Link._discard,
    State.CLOSED: _nothing,
}
"""Everywhere else the subclass reads."""
_WRITABLE: Final[dict[State, Callable[[Link], None]]] = {
    State.HANDSHAKE: Link._shake_hands,
    State.IDLE: _read,
    State.HEAD: _read,
    State.LINGER: _nothing,
    State.CLOSED: _nothing,
}
"""Where nothing of ours waits to be written, TLS has something to write before it can read."""
_DESTROYED: Final[dict[State, str]] = {
    State.BODY: "Connection_Dropped",
    State.WAITING: "Connection_Abandoned_By_AppPool",
    State.WRITING: "Connection_Dropped",
}
_AT_REST: Final = frozenset((State.HANDSHAKE, State.IDLE, State.STALLED))
"""States without a request that the server owes an answer."""
_SILENT: Final = frozenset((State.HANDSHAKE, State.IDLE, State.STALLED, State.LINGER, State.CLOSED))
"""States in which a client may leave without anything being lost."""
