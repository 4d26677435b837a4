"""One HTTP connection: reads requests one at a time, hands them on, answers them in order."""

import socket
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

import structlog

from vaultstorm_server import clock
from vaultstorm_server.httpsys import answers, head
from vaultstorm_server.httpsys.endpoint import NO_LINE, Endpoint, State
from vaultstorm_server.httpsys.head import Fault, Head, Line
from vaultstorm_server.httpsys.intake import Intake, Refused
from vaultstorm_server.httpsys.link import READS_PER_TURN, Link
from vaultstorm_server.httpsys.request import Request

log = structlog.get_logger()

INPUT_MAX: Final = 65536
"""Bytes of further requests that are kept while one is answered; then the client has to wait."""
CONNECTION_LIMIT: Final = Fault(503, "", "ConnLimit")


class Connection(Link):
    """A link that carries HTTP/1.1 or 1.0, and the owner of its requests.

    Attributes:
        bound: what the request queue remembers of it: the worker that took its last request.
        surplus: it is one more than MaxConnections, and its first request is refused.
    """

    __slots__ = ("_closing", "_head", "_intake", "_pumping", "_request", "_sending", "bound")
    surplus: ClassVar[bool] = False

    def __init__(
        self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int], number: int
    ) -> None:
        super().__init__(endpoint, sock, peer, number)
        self._intake = Intake(endpoint.settings)
        self._head: Head | None = None
        self._request: Request | None = None
        self._sending: tuple[int, str | None] | None = None
        """Status and cause of the answer that is on its way out."""
        self._closing = False
        self._pumping = False
        self.bound: Any = None

    # Reading.

    def _read(self) -> None:
        for _ in range(READS_PER_TURN):
            data = self._stream.receive()
            if data is None:
                break
            if not data:
                self._left()
                return
            self._intake.feed(data)
            self._pump()
            # After a RST libuv reports a descriptor once and never again, even if data comes
            # before it: so as long as a request lacks something, read to the end of what is there.
            if self.state not in _INCOMPLETE and not self._stream.pending:
                break
        else:
            self._endpoint.loop.call_soon(self.on_readable)
        if len(self._intake) >= INPUT_MAX and self.state in (State.WAITING, State.WRITING):
            self._stream.pause()

    def _pump(self) -> None:
        """Go through the input as far as it reaches.

        A loop and not a call from answer to next request: a pool may answer at once, and a client
        may have sent a thousand requests in one segment.
        """
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._intake:
                step = _PUMPING.get(self.state)
                if step is None or not step(self):
                    break
        finally:
            self._pumping = False

    def _begin(self) -> bool:
        if not self._intake.begin():
            return False
        self._enter(State.HEAD)
        return True

    def _read_head(self) -> bool:
        facts = self._intake.read_head()
        if facts is None:
            return False
        if isinstance(facts, Refused):
            self._turn_away(facts)
            return False
        self._endpoint.requests += 1
        self._head = facts
        self._request = Request(
            self,
            id=facts.id,
            connection=self.number,
            peer=self.peer_name,
            method=facts.method.decode("ascii"),
            target=facts.target.decode("ascii"),
            headers=facts.headers,
            received=clock.now(),
        )
        if self.surplus:
            self._request.end()
            self._refuse(CONNECTION_LIMIT, self._line())
            return False
        if not facts.length and not facts.chunked:
            self._deliver(b"")
            return True
        self._enter(State.BODY)
        if facts.expects_continue and not self._intake:
            self._stream.send(answers.CONTINUE)
        return True

    def _read_body(self) -> bool:
        self._enter(State.BODY)
        body = self._intake.read_body()
        if body is None:
            return False
        if isinstance(body, Fault):
            assert self._request is not None
            self._request.end()
            self._refuse(body, self._line())
            return False
        self._deliver(body)
        return True

    def _deliver(self, body: bytes) -> None:
        assert self._request is not None
        self._request.body = body
        self._enter(State.WAITING)
        self._endpoint.deliver(self._request)

    # Answering.

    def respond(
        self, request: Request, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Send the worker's answer."""
        self._guard(self._respond, status, headers, body)

    def turn_down(self, request: Request, reason: str) -> None:
        """Send HTTP.SYS's own 503 and close."""
        self._guard(self._refuse, Fault(503, "", reason), self._line(), True)

    def reset(self, request: Request, reason: str) -> None:
        """Reset the connection in place of an answer."""
        self._lose(reason)
        self._guard(self._reset)

    def cut(self, request: Request, reason: str) -> None:
        """End without an answer, in the shape that AbandonedRequest says."""
        self._lose(reason)
        self._guard(_ABANDONING[self._endpoint.settings.AbandonedRequest], self)

    def _respond(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        endpoint, facts = self._endpoint, self._head
        assert facts is not None
        keep = facts.keep_alive and endpoint.settings.AllowKeepAlive and not endpoint.draining
        self._closing = not keep
        try:
            data = endpoint.heads.answer(
                status,
                headers,
                body,
                clock.now(),
                connection=b"close" if not keep else b"" if facts.minor else b"Keep-Alive",
                head_only=facts.method == b"HEAD",
            )
        except ValueError as error:
            log.error("answer_unfit", connection=self.number, error=str(error))
            self._refuse(Fault(500, "", "Internal"), self._line(), True)
            return
        self._send(data, status, None)

    def _turn_away(self, refused: Refused) -> None:
        """Answer a head that cannot be served, and close."""
        fault, raw = refused
        line = head.request_line(raw)
        self._endpoint.record_fault(self, raw, line, fault.status, fault.reason)
        self._refuse(fault, line)

    def _refuse(self, fault: Fault, line: Line, routed: bool = False) -> None:
        self._endpoint.report(self, fault.reason, line=line, status=fault.status, routed=routed)
        self._closing = True
        self._intake.clear()
        data = answers.error(
            fault.status, fault.detail, clock.now(), head_only=line.method == b"HEAD"
        )
        self._send(data, fault.status, fault.reason)

    def _line(self) -> Line:
        facts = self._head
        assert facts is not None
        return Line(b"HTTP/1.%d" % facts.minor, facts.method, facts.target)

    def _send(self, data: bytes, status: int, cause: str | None) -> None:
        self.state = State.WRITING
        self._sending = (status, cause)
        if self._stream.send(data):
            self._written()
        else:
            timeout = self._endpoint.write_timeout(len(data))
            self.deadline = self._endpoint.loop.time() + timeout

    def _write(self) -> None:
        if self._stream.flush() and self.state is State.WRITING:
            self._written()

    def _written(self) -> None:
        request, self._request, self._head = self._request, None, None
        if request is not None and self._sending is not None:
            status, cause = self._sending
            self._endpoint.answered += 1
            self._endpoint.record(request, status=status, cause=cause)
        self._sending = None
        if self._closing:
            self._linger()
            return
        self._enter(State.IDLE)
        self._stream.read_on()
        self._pump()

    # Ending.

    def _lose(self, reason: str | None) -> None:
        request, self._request = self._request, None
        if self._sending is not None and self._sending[1] is not None:
            reason = self._sending[1]  # it was refused, and HTTPERR says so
        elif reason is not None:
            line = self._line() if request else NO_LINE
            self._endpoint.report(self, reason, line=line, routed=request is not None)
        self._sending = None
        if request is not None:
            request.end()
            self._endpoint.record(request, status=None, cause=reason)

    def _left(self) -> None:
        if self._request is not None:
            self._request.leave()
        super()._left()

    def _linger(self) -> None:
        self._intake.clear()
        super()._linger()

    def _stall(self) -> None:
        self._intake.clear()
        super()._stall()

    def _close(self) -> None:
        self._intake.clear()
        super()._close()


class Surplus(Connection):
    """A connection beyond MaxConnections: whatever it asks for, it gets 503 and is closed."""

    __slots__ = ()
    surplus = True


_ABANDONING: Final[dict[str, Callable[[Connection], None]]] = {
    "close": Connection._linger,
    "reset": Connection._reset,
    "stall": Connection._stall,
}
"""What becomes of the connection when a worker takes its request with it. No source says which it
was (windows.md 4.3): KB908739 has only that the connection "may be lost"."""
_PUMPING: Final[dict[State, Callable[[Connection], bool]]] = {
    State.IDLE: Connection._begin,
    State.HEAD: Connection._read_head,
    State.BODY: Connection._read_body,
}
_INCOMPLETE: Final = frozenset((State.HEAD, State.BODY))
