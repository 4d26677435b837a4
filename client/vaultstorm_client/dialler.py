"""How a client gets its connection: SYN, SYN again if asked for, TLS; or just holding it.

The tight loop of a spike is why opening a socket, connecting it, and looking at what came of that
are three steps here.
"""

import errno
import os
import socket
from abc import ABC, abstractmethod
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from vaultstorm_client import observe
from vaultstorm_client.attempt import Attempt
from vaultstorm_client.clock import monotonic
from vaultstorm_client.exchange import EarlyEnd
from vaultstorm_client.loop import BOTH, NEVER, READ
from vaultstorm_client.response import Malformed
from vaultstorm_client.sources import bind
from vaultstorm_client.stream import PlainStream, Stream, TlsStream
from vaultstorm_client.target import Address, endpoint
from vaultstorm_wire.outcome import OK, Phase

if TYPE_CHECKING:
    from vaultstorm_client.engine import Engine

_UNDER_WAY: Final = frozenset({0, errno.EINPROGRESS})
_SYN_SENT: Final = _UNDER_WAY | {errno.ECONNREFUSED}
"""What connect() says once a SYN has left: on loopback the RST may be back already."""


class State(Enum):
    """What a client is doing."""

    __hash__ = object.__hash__  # Enum's is Python code, and every event looks a state up

    RESTING = auto()
    """Between two attempts, with a connection or without."""
    CONNECTING = auto()
    RETRYING = auto()
    """Its SYN was refused; it will send another one."""
    HOLDING = auto()
    """A ``tcp://`` connection stands and is watched."""
    SHAKING_HANDS = auto()
    BINDING = auto()
    """A DCE/RPC bind is out."""
    SENDING = auto()
    RECEIVING = auto()
    DONE = auto()


class Dialler(ABC):
    """Takes an attempt from its SYN to a connection that carries bytes.

    Args:
        engine: what it shares with all clients of its process.
        index: its number, unique in the whole burst.
        scheduled: when its first attempt is due, in monotonic seconds.
    """

    __slots__ = (
        "_address",
        "_attempt",
        "_connection",
        "_engine",
        "_local",
        "_nth",
        "_scheduled",
        "_sock",
        "_stream",
        "_writing",
        "armed",
        "deadline",
        "index",
        "state",
    )

    def __init__(self, engine: "Engine", index: int, scheduled: float) -> None:
        self.index = index
        self.state = State.RESTING
        self.deadline = self.armed = NEVER
        self._engine = engine
        self._address: Address = engine.address
        self._scheduled = scheduled
        self._connection = self._nth = 0
        self._sock: socket.socket | None = None
        self._stream: Stream | None = None
        self._attempt = Attempt("", scheduled, scheduled)
        self._writing = False
        self._local: str | None = None

    @abstractmethod
    def ready(self) -> None:
        """Its descriptor can be read or written, or has failed."""

    @abstractmethod
    def expired(self, now: float) -> None:
        """Its deadline has passed."""

    @abstractmethod
    def _request(self, now: float) -> None:
        """Begin the exchange: the connection stands."""

    @abstractmethod
    def _receive(self) -> None:
        """Take what has come."""

    @abstractmethod
    def _failed(self, error: OSError | EarlyEnd | Malformed) -> None:
        """End the attempt."""

    @abstractmethod
    def _finish(self, outcome: str, end: float, errno_name: str | None, detail: str | None) -> None:
        """End the attempt with an outcome."""

    def connect(self, now: float) -> int:
        """Send the SYN, and give the errno for `connecting`. Nothing else happens here."""
        self._attempt.since = now
        assert self._sock is not None
        return self._sock.connect_ex(self._address.sockaddr)

    def connecting(self, result: int) -> None:
        """Take note of what connect() said, and watch the socket."""
        engine, sock, attempt = self._engine, self._sock, self._attempt
        assert sock is not None
        if not attempt.syn_retries and result in _SYN_SENT:
            engine.syn(attempt.since)
        self.state = State.CONNECTING
        try:
            if result not in _UNDER_WAY:
                raise OSError(result, os.strerror(result))
            self._local = attempt.local = endpoint(sock.getsockname())
        except OSError as error:
            self._refused(error)
            return
        engine.loop.watch(sock.fileno(), BOTH, self)
        engine.loop.set_deadline(self, attempt.since + engine.plan.connect_timeout)

    def _open(self) -> None:
        engine, address = self._engine, self._address
        self._connection, self._nth = engine.next_connection(), 0
        self._sock = sock = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind(sock, engine.source(self.index, address))

    def _connected(self) -> None:
        """See what became of connect()."""
        engine, sock, attempt = self._engine, self._sock, self._attempt
        assert sock is not None
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number and number not in observe.AFTER_HANDSHAKE:
            self._refused(OSError(number, os.strerror(number)))
            return
        now = monotonic()
        if engine.scheme == "tcp":
            self._hold(now, number)
            return
        attempt.enter(self._next_phase(), now)
        if number:
            raise OSError(number, os.strerror(number))
        engine.loop.modify(sock.fileno(), READ)
        self._speak(sock, now)

    def _next_phase(self) -> Phase:
        """Give the phase that begins once TCP stands."""
        return Phase.TLS if self._engine.tls is not None else Phase.SEND

    def _speak(self, sock: socket.socket, now: float) -> None:
        """Begin what is said on a connection before its first request."""
        engine, tls = self._engine, self._engine.tls
        if tls is None:
            self._stream = PlainStream(sock)
            self._request(now)
            return
        self._stream = TlsStream(sock, tls, engine.host)
        self.state = State.SHAKING_HANDS
        engine.loop.set_deadline(self, now + engine.plan.tls_timeout)
        self._shake_hands(readable=False)

    def _refused(self, error: OSError) -> None:
        """End the attempt, or send the SYN again as a Windows client does (KB175523)."""
        attempt, plan = self._attempt, self._engine.plan
        if error.errno != errno.ECONNREFUSED or attempt.syn_retries >= plan.syn_retries:
            self._failed(error)
            return
        attempt.syn_retries += 1
        attempt.close(monotonic())
        self._engine.tally.counts.syn_retries += 1
        self._disconnect()
        self.state = State.RETRYING
        self._engine.loop.set_deadline(self, attempt.since + plan.syn_retry_interval)

    def _retry(self, now: float) -> None:
        self._open()
        self._attempt.close(now)
        self.connecting(self.connect(now))

    def _hold(self, now: float, number: int) -> None:
        """Keep a ``tcp://`` connection open: it is ok if nothing has ended it after a while."""
        assert self._sock is not None
        self._attempt.close(now)
        if number:
            raise OSError(number, os.strerror(number))
        self._stream = PlainStream(self._sock)
        self._engine.loop.modify(self._sock.fileno(), READ)
        self.state = State.HOLDING
        self._engine.loop.set_deadline(self, now + self._engine.plan.hold)

    def _held(self) -> None:
        assert self._stream is not None
        data = self._stream.receive()
        if data == b"":
            raise EarlyEnd
        if data:
            self._attempt.received += len(data)

    def _stood(self, now: float) -> None:
        del now
        self._finish(OK, self._attempt.since, None, None)

    def _shake_hands(self, readable: bool = True) -> None:
        stream = self._stream
        assert isinstance(stream, TlsStream)
        if stream.handshake(readable):
            now = monotonic()
            self._attempt.enter(Phase.SEND, now)
            self._request(now)
            if self.state is State.RECEIVING and stream.buffered:
                self._receive()  # it came with the handshake's last bytes: no event will tell

    def _disconnect(self) -> None:
        self._writing = False
        if self._sock is not None:
            self._engine.loop.forget(self._sock.fileno())
            self._sock.close()
            self._sock = self._stream = None
