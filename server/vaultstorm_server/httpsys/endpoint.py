"""What all connections of one HTTP.SYS share: settings, timers, counters and the two logs."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from enum import IntEnum, auto
from time import monotonic
from typing import TYPE_CHECKING, Final

from vaultstorm_server import clock
from vaultstorm_server.httpsys.answers import AnswerHeads
from vaultstorm_server.httpsys.head import Line, request_id
from vaultstorm_server.httpsys.httperr import Entry, ErrorLog
from vaultstorm_server.httpsys.request import Request
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import HttpSys
from vaultstorm_wire import journal

if TYPE_CHECKING:
    from vaultstorm_server.httpsys.link import Link

HANDSHAKES_PER_TURN: Final = 16
"""Steps of TLS handshakes that a turn of the loop has at least: about 10 ms of work."""
HANDSHAKE_SHARE_MAX: Final = 0.02
"""Seconds of handshakes after which the accepts have their turn again, whoever still waits."""
LINGER_TIME: Final = 2.0
NEVER: Final = float("inf")
NO_LINE: Final = Line(b"", b"", b"")


class State(IntEnum):
    """Where a connection stands."""

    HANDSHAKE = auto()
    IDLE = auto()
    """No byte of a request yet."""
    HEAD = auto()
    BODY = auto()
    WAITING = auto()
    """The request is the pool's."""
    WRITING = auto()
    STALLED = auto()
    """Its request is lost and nobody says so: what the client still sends is discarded."""
    LINGER = auto()
    """Our FIN is out; what the client still sends is discarded until its FIN."""
    CLOSED = auto()


REASONS: Final[dict[State, str]] = {
    State.HANDSHAKE: "Timer_ConnectionIdle",
    State.IDLE: "Timer_ConnectionIdle",
    State.HEAD: "Timer_HeaderWait",
    State.BODY: "Timer_EntityBody",
    State.WRITING: "Timer_MinBytesPerSecond",
}
"""What HTTPERR says when the deadline of a state passes (windows.md 5). Waiting for a worker has no
deadline of the connection's own; lingering and stalling end without a word."""


class Endpoint:
    """The surroundings of a connection.

    Attributes:
        loop: the loop that everything runs on.
        settings: the limits and timers.
        tls: the context of the TLS handshakes; None for plain HTTP.
        deliver: takes every complete request.
        pool: the application pool's name in HTTPERR.
        heads: makes the heads of answers.
        connections: all that are not closed.
        lingering: those of them that wait for their client's FIN.
        timeouts: seconds that a state may last; WRITING depends on the answer instead.
        draining: no connection is kept after its answer.
        on_end: called when a connection has begun to linger or is closed.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: HttpSys,
        tls: ssl.SSLContext | None,
        deliver: Callable[[Request], None],
        journal: JournalFile,
        errors: ErrorLog,
        pool: str,
    ) -> None:
        self.loop = loop
        self.settings = settings
        self.tls = tls
        self.deliver = deliver
        self.pool = pool
        self.heads = AnswerHeads()
        self.connections: set[Link] = set()
        self.lingering: set[Link] = set()
        self.draining = False
        idle = settings.ConnectionTimeout
        self.timeouts: dict[State, float] = {
            State.HANDSHAKE: idle,
            State.IDLE: idle,
            State.HEAD: settings.HeaderWaitTimeout or idle,
            State.BODY: idle,
            State.WAITING: NEVER,
            State.STALLED: idle,
            State.LINGER: LINGER_TIME,
        }
        self.handshakes = 0
        self.handshakes_failed = 0
        self.requests = 0
        self.answered = 0
        self.reasons: Counter[str] = Counter()
        self.bugs = 0
        self.on_end: Callable[[], None] | None = None
        self._journal = journal
        self._errors = errors
        self._steps = HANDSHAKES_PER_TURN
        self._waiting: dict[Link, None] = {}
        self._rested = monotonic()

    def may_shake_hands(self, connection: "Link") -> bool:
        """Tell whether this turn of the loop has a handshake step left, and use it up.

        If it has not, `connection` gets its turn as soon as those before it have had theirs.
        """
        if self._steps == HANDSHAKES_PER_TURN:
            self.loop.call_soon(self._next_turn)
        if self._steps == 0:
            self._waiting[connection] = None
            return False
        self._steps -= 1
        return True

    def waits(self, connection: "Link") -> bool:
        """Tell whether a connection waits for its turn: its input has arrived, and is not read."""
        return connection in self._waiting

    def _next_turn(self) -> None:
        """Let those who wait make their steps: as long as the rest of the loop has just had.

        With a fixed number of steps, clients whose connections stand would starve those whose
        handshakes wait: the more requests a turn holds, the longer it takes.
        """
        began = monotonic()
        until = began + min(began - self._rested, HANDSHAKE_SHARE_MAX)
        self._steps = HANDSHAKES_PER_TURN
        while self._waiting and (self._steps or monotonic() < until):
            connection = next(iter(self._waiting))
            del self._waiting[connection]
            self._steps = max(self._steps, 1)
            connection.on_readable()
        self._rested = monotonic()
        if self._waiting and self._steps == HANDSHAKES_PER_TURN:
            self.loop.call_soon(self._next_turn)

    def write_timeout(self, size: int) -> float:
        """Give the seconds a client may take for an answer: its size over the rate (cc738006)."""
        rate = self.settings.MinBytesPerSecond
        return size / rate if rate else NEVER

    def linger(self, connection: "Link") -> None:
        """Note that nothing is left to do for a connection but to wait for its client's FIN."""
        self.lingering.add(connection)
        if self.on_end is not None:
            self.on_end()

    def forget(self, connection: "Link") -> None:
        """Take a closed connection off the books."""
        self.connections.discard(connection)
        self.lingering.discard(connection)
        self._waiting.pop(connection, None)
        if self.on_end is not None:
            self.on_end()

    def report(
        self,
        connection: "Link",
        reason: str,
        *,
        line: Line = NO_LINE,
        status: int | None = None,
        routed: bool = False,
    ) -> None:
        """Count `reason` and write its line of HTTPERR.

        Args:
            connection: whose it is.
            reason: by its documented name.
            line: the request line, where there is one.
            status: of the error answer, if there is one.
            routed: the request had been found to belong to the site and its pool.
        """
        self.reasons[reason] += 1
        entry = Entry(
            connection.peer,
            connection.local(),
            reason,
            line.version,
            line.method,
            line.target,
            status,
            1 if routed else None,
            self.pool if routed else "",
        )
        now = clock.now()
        self._errors.append(entry, now)
        if line is NO_LINE and reason.startswith("Timer_"):  # no request of it will be journalled
            self._journal.append(journal.Event(time=now, name=reason, detail=connection.peer_name))

    def record(self, request: Request, *, status: int | None, cause: str | None) -> None:
        """Journal how a request ended."""
        if self._journal.path is None:
            return
        now = clock.now()
        self._journal.append(
            journal.Request(
                time=request.received,
                id=request.id,
                connection=request.connection,
                peer=request.peer,
                method=request.method,
                target=request.target,
                worker=request.worker,
                dispatched=request.dispatched,
                answered=now if status is not None else None,
                status=status,
                cause=cause,
            )
        )

    def record_fault(
        self, connection: "Link", raw: bytes, line: Line, status: int, cause: str
    ) -> None:
        """Journal a request that was refused for its head."""
        if self._journal.path is None:
            return
        now = clock.now()
        self._journal.append(
            journal.Request(
                time=now,
                id=request_id(raw),
                connection=connection.number,
                peer=connection.peer_name,
                method=line.method[:255].decode("latin-1"),
                target=line.target[:4096].decode("latin-1"),
                answered=now,
                status=status,
                cause=cause,
            )
        )
