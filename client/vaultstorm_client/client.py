"""One client of a burst: its connection, its requests one after the other, and their endings.

It is a state machine: what a readable descriptor or a passed deadline means is looked up by state.
Nothing is ever sent twice: an attempt ends once, and what follows it is another attempt with
another id. The one exception is asked for with `syn_retries`, and counted.
"""

import errno
import socket
import ssl
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar, Final

from vaultstorm_client import observe
from vaultstorm_client.attempt import Attempt
from vaultstorm_client.clock import monotonic
from vaultstorm_client.lingering import Lingering
from vaultstorm_client.loop import BOTH, NEVER, READ
from vaultstorm_client.response import Malformed, Response
from vaultstorm_client.sources import bind
from vaultstorm_client.stream import PlainStream, Stream, TlsStream
from vaultstorm_client.target import endpoint
from vaultstorm_wire.outcome import OK, Ending, Phase, answered_http, lost

if TYPE_CHECKING:
    from vaultstorm_client.engine import Engine

_UNDER_WAY: Final = frozenset({0, errno.EINPROGRESS})
_SYN_SENT: Final = _UNDER_WAY | {errno.ECONNREFUSED}
"""What connect() says once a SYN has left: on loopback the RST may be back already."""


class State(Enum):
    """What a client is doing."""

    RESTING = auto()
    """Between two attempts, with a connection or without."""
    CONNECTING = auto()
    RETRYING = auto()
    """Its SYN was refused; it will send another one."""
    HOLDING = auto()
    """A ``tcp://`` connection stands and is watched."""
    SHAKING_HANDS = auto()
    SENDING = auto()
    RECEIVING = auto()
    DONE = auto()


class Client:
    """Makes `left` attempts, one at a time.

    Args:
        engine: what it shares with all clients of its process.
        index: its number, unique in the whole burst.
        scheduled: when its first attempt is due, in monotonic seconds.
    """

    __slots__ = (
        "_attempt",
        "_connection",
        "_engine",
        "_local",
        "_made",
        "_nth",
        "_response",
        "_scheduled",
        "_sock",
        "_stream",
        "_unsent",
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
        self._scheduled = scheduled
        self._made = 0
        self._connection = self._nth = 0
        self._sock: socket.socket | None = None
        self._stream: Stream | None = None
        self._attempt = Attempt("", scheduled, scheduled)
        self._response = Response()
        self._unsent = memoryview(b"")
        self._writing = False
        self._local: str | None = None

    # What the loop calls.

    def ready(self) -> None:
        """Its descriptor can be read or written, or has failed."""
        try:
            self._READY[self.state](self)
        except OSError as error:
            self._lose(observe.ending(error), observe.errno_name(error), _detail(error))
        except Malformed as error:
            self._lose(Ending.MALFORMED, None, str(error))

    def expired(self, now: float) -> None:
        """Its deadline has passed."""
        try:
            self._EXPIRED[self.state](self, now)
        except OSError as error:
            self._lose(observe.ending(error), observe.errno_name(error), _detail(error))
        except Malformed as error:
            self._lose(Ending.MALFORMED, None, str(error))

    # What the engine calls.

    def prepare(self) -> bool:
        """Begin an attempt up to, but not including, connect(); False if that already failed."""
        now = monotonic()
        self._attempt = Attempt(
            self._engine.request_id(self.index, self._made), self._scheduled, now
        )
        self._made += 1
        try:
            self._open()
        except OSError as error:
            self._lose(Ending.LOCAL, observe.errno_name(error), _detail(error))
            return False
        return True

    def connect(self, now: float) -> int:
        """Send the SYN, and give the errno for `connecting`. Nothing else happens here."""
        self._attempt.since = now
        assert self._sock is not None
        return self._sock.connect_ex(self._engine.sockaddr)

    def connecting(self, result: int) -> None:
        """Take note of what connect() said, and watch the socket."""
        engine, sock, attempt = self._engine, self._sock, self._attempt
        assert sock is not None
        if not attempt.syn_retries and result in _SYN_SENT:
            engine.syn(attempt.since)
        self.state = State.CONNECTING
        try:
            if result not in _UNDER_WAY:
                raise OSError(result, "connect")
            self._local = attempt.local = endpoint(sock.getsockname())
        except OSError as error:
            self._refused(error)
            return
        engine.loop.watch(sock.fileno(), BOTH, self)
        engine.loop.set_deadline(self, attempt.since + engine.plan.connect_timeout)

    def reschedule(self, instant: float) -> None:
        """Say when the attempt was due, for a spike, whose sockets are made before it begins."""
        self._attempt.scheduled = self._attempt.start = instant

    def interrupt(self) -> None:
        """Give up: what is under way ends as `local`, nothing new is begun."""
        if self.state is State.RESTING:
            self._retire()
        elif self.state is not State.DONE:
            self._lose(Ending.LOCAL, None, "interrupted")

    # Connecting.

    def _begin(self, now: float) -> None:
        """Start the next attempt, on the connection that stands or on a new one."""
        if self._engine.over(now):
            self._retire()
        elif self._stream is not None:
            self._attempt = Attempt(
                self._engine.request_id(self.index, self._made), self._scheduled, now
            )
            self._made += 1
            self._attempt.local = self._local
            self._attempt.phase = Phase.SEND
            self._request(now)
        elif self.prepare():
            self.connecting(self.connect(monotonic()))

    def _open(self) -> None:
        engine = self._engine
        self._sock = sock = socket.socket(engine.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._connection, self._nth = engine.next_connection(), 0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bind(sock, engine.source(self.index))

    def _connected(self) -> None:
        """See what became of connect()."""
        engine, sock, attempt = self._engine, self._sock, self._attempt
        assert sock is not None
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number and number not in observe.AFTER_HANDSHAKE:
            self._refused(OSError(number, "connect"))
            return
        now = monotonic()
        if engine.scheme == "tcp":
            self._hold(now, number)
            return
        tls = engine.tls
        attempt.enter(Phase.TLS if tls is not None else Phase.SEND, now)
        if number:
            raise OSError(number, "connect")
        engine.loop.modify(sock.fileno(), READ)
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
            self._lose(observe.ending(error), observe.errno_name(error), _detail(error))
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
            raise OSError(number, "connect")
        self._stream = PlainStream(self._sock)
        self._engine.loop.modify(self._sock.fileno(), READ)
        self.state = State.HOLDING
        self._engine.loop.set_deadline(self, now + self._engine.plan.hold)

    def _held(self) -> None:
        assert self._stream is not None
        data = self._stream.receive()
        if data == b"":
            self._lose(Ending.CLOSED, None, None)
        elif data:
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
            if self._stream is stream and stream.buffered:
                self._receive()  # it came with the handshake's last bytes: no event will tell

    # A request and its answer.

    def _request(self, now: float) -> None:
        engine, attempt = self._engine, self._attempt
        attempt.nth, self._nth = self._nth, self._nth + 1
        attempt.connection = engine.connection_id(self._connection)
        self._response = Response(engine.plan.method == "HEAD")
        self._unsent = memoryview(engine.request(attempt.id, self._last()))
        self.state = State.SENDING
        engine.loop.set_deadline(self, now + engine.plan.response_timeout)
        self._send()

    def _last(self) -> bool:
        """Whether this connection is not to be used again."""
        return not self._engine.plan.keep_alive

    def _send(self) -> None:
        """Send what there is room for."""
        stream, attempt, loop = self._stream, self._attempt, self._engine.loop
        assert stream is not None
        try:
            while self._unsent and (taken := stream.send(self._unsent)):
                attempt.sent += taken
                self._unsent = self._unsent[taken:]
            done = not self._unsent and stream.flush()
        except (BrokenPipeError, ConnectionResetError) as error:
            self._answered_early(error)
            return
        if done:
            if attempt.phase is Phase.SEND:
                attempt.enter(Phase.WAIT, monotonic())
            self._await_answer()
        elif not self._writing:
            self._writing = True
            loop.modify(stream.sock.fileno(), BOTH)

    def _await_answer(self) -> None:
        self.state = State.RECEIVING
        if self._writing:
            self._writing = False
            assert self._sock is not None
            self._engine.loop.modify(self._sock.fileno(), READ)

    def _sendable(self) -> None:
        """Go on sending, also while an answer comes: until it is complete, it may be a 1xx."""
        self._receive()
        if self.state is State.SENDING:
            self._send()

    def _answered_early(self, error: OSError) -> None:
        """Look for an answer that came before the connection was ended under the request."""
        stream = self._stream
        assert stream is not None
        try:
            while data := stream.receive():
                if self._take(data):
                    return
        except ssl.SSLError:
            raise  # an alert came before the end, and says more
        except OSError:
            pass  # the kernel says only once, as `error` did, what ended the connection
        if isinstance(error, BrokenPipeError) and not stream.truncated and self._response.eof():
            self._answered()  # a RST behind a FIN: the FIN counts
            return
        raise error

    def _receive(self) -> None:
        """Take one piece and what TLS holds of it: an endless answer must not hold the loop."""
        stream = self._stream
        assert stream is not None
        while (data := stream.receive()) is not None:
            if data:
                if self._take(data) or not stream.buffered:
                    return
            elif not stream.truncated and self._response.eof():  # RFC 9112, 9.8
                self._answered()
                return
            else:
                self._lose(Ending.CLOSED, None, None)
                return

    def _take(self, data: bytes) -> bool:
        """Take a piece of the answer; True if it was the last."""
        attempt = self._attempt
        if attempt.phase is not Phase.RECEIVE:
            attempt.enter(Phase.RECEIVE, monotonic())
        attempt.received += len(data)
        if self._response.feed(data):
            self._answered()
            return True
        return False

    def _answered(self) -> None:
        response, stream = self._response, self._stream
        assert response.status is not None
        assert stream is not None
        again = response.keep_alive and not self._last() and self.state is not State.SENDING
        if again and stream.buffered:  # a session ticket, an end, or what was not asked for
            data = stream.receive()
            if data:
                raise Malformed(f"{len(data)} bytes after the end of the answer")
            if data is not None:
                again = False
                self._engine.tally.counts.idle_closed += 1
        now = monotonic()
        self._attempt.close(now)
        if not again:
            self._let_go()
        self._finish(answered_http(response.status), now, None, None)

    # Endings.

    def _lose(self, ending: Ending, errno_name: str | None, detail: str | None) -> None:
        now, attempt = monotonic(), self._attempt
        if ending is Ending.MALFORMED and attempt.phase is Phase.SEND:
            attempt.enter(Phase.RECEIVE, now)  # only what was received can be malformed
        phase = attempt.phase
        if self.state is not State.HOLDING:
            attempt.close(now)
        if ending is Ending.REFUSED and phase is not Phase.CONNECT:
            ending = (
                Ending.TIMEOUT
            )  # ICMP ended a connection that stood: its peer stopped answering
        elif ending is Ending.REJECTED:
            if attempt.nth or phase is Phase.RECEIVE:
                ending = Ending.CLOSED  # an alert ends the connection; this server had accepted it
            else:
                phase = Phase.TLS  # TLS 1.3 clients send before the server has judged them
        self._disconnect()
        self._finish(lost(phase, ending), now, errno_name, detail)

    def _timed_out(self, now: float) -> None:
        del now
        self._lose(Ending.TIMEOUT, None, None)

    def _finish(self, outcome: str, end: float, errno_name: str | None, detail: str | None) -> None:
        engine, attempt = self._engine, self._attempt
        if not attempt.connection:
            attempt.connection = engine.connection_id(self._connection)
        engine.ended(attempt, outcome, end, errno_name, detail)
        self.state = State.RESTING
        if engine.scheme == "tcp":
            self._disconnect()
        if not engine.more(self._made):
            self._retire()
            return
        self._scheduled = monotonic() + engine.plan.think
        if engine.plan.think:
            engine.loop.set_deadline(self, self._scheduled)
        else:
            engine.loop.soon(self)

    def _woken(self) -> None:
        """Notice what happens to a connection while no request is out."""
        assert self._stream is not None
        try:
            data = self._stream.receive()
        except OSError:
            data = b""
        if data is not None:
            self._engine.tally.counts.idle_closed += 1
            self._disconnect()

    def _retire(self) -> None:
        self._engine.loop.set_deadline(self, NEVER)
        self._disconnect()
        self.state = State.DONE
        self._engine.retired(self)

    def _stay_done(self, now: float) -> None:
        """Ignore a turn that was asked for before an interrupt."""

    def _disconnect(self) -> None:
        self._writing = False
        if self._sock is not None:
            self._engine.loop.forget(self._sock.fileno())
            self._sock.close()
            self._sock = self._stream = None

    def _let_go(self) -> None:
        """Leave a connection that the server is about to end, so that it does not meet a RST."""
        assert self._sock is not None
        self._writing = False
        self._engine.loop.forget(self._sock.fileno())
        Lingering(self._engine.loop, self._sock)
        self._sock = self._stream = None

    _READY: ClassVar[dict[State, Callable[["Client"], None]]] = {
        State.RESTING: _woken,
        State.CONNECTING: _connected,
        State.HOLDING: _held,
        State.SHAKING_HANDS: _shake_hands,
        State.SENDING: _sendable,
        State.RECEIVING: _receive,
    }
    _EXPIRED: ClassVar[dict[State, Callable[["Client", float], None]]] = {
        State.RESTING: _begin,
        State.CONNECTING: _timed_out,
        State.RETRYING: _retry,
        State.HOLDING: _stood,
        State.SHAKING_HANDS: _timed_out,
        State.SENDING: _timed_out,
        State.RECEIVING: _timed_out,
        State.DONE: _stay_done,
    }


def _detail(error: OSError) -> str:
    """Say what the error says beyond its errno."""
    if isinstance(error, ssl.SSLError):
        return getattr(error, "verify_message", None) or error.reason or str(error)
    return error.strerror or str(error)
