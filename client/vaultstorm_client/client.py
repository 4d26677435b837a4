"""One client of a burst: its connection, its requests one after the other, and their endings.

It is a state machine: what a readable descriptor or a passed deadline means is looked up by state.
Nothing is ever sent twice: an attempt ends once, and what follows it is another attempt with
another id. The one exception is asked for with `syn_retries`, and counted.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from vaultstorm_client import observe
from vaultstorm_client.attempt import Attempt
from vaultstorm_client.clock import monotonic
from vaultstorm_client.dialler import Dialler, State
from vaultstorm_client.exchange import ANSWERED, SENDING, EarlyEnd, Exchange, Step
from vaultstorm_client.lingering import Lingering
from vaultstorm_client.loop import BOTH, NEVER, READ
from vaultstorm_client.response import Malformed, Response
from vaultstorm_client.stream import Stream
from vaultstorm_wire.outcome import Ending, Phase, answered_http, lost

if TYPE_CHECKING:
    from vaultstorm_client.engine import Engine

# Looked up once, as in `exchange`.
_STATE_RESTING: Final = State.RESTING
_STATE_SENDING: Final = State.SENDING
_STATE_RECEIVING: Final = State.RECEIVING
_SEND: Final = Phase.SEND


class Client(Dialler):
    """Makes its attempts one at a time, until the plan has no more for it."""

    __slots__ = ("_exchange", "_made")

    def __init__(self, engine: "Engine", index: int, scheduled: float) -> None:
        super().__init__(engine, index, scheduled)
        self._made = 0
        self._exchange: Exchange | None = None

    # What the loop calls.

    def ready(self) -> None:
        """Its descriptor can be read or written, or has failed."""
        try:
            self._READY[self.state](self)
        except (OSError, EarlyEnd, Malformed) as error:
            self._failed(error)

    def expired(self, now: float) -> None:
        """Its deadline has passed."""
        try:
            self._EXPIRED[self.state](self, now)
        except (OSError, EarlyEnd, Malformed) as error:
            self._failed(error)

    # What the engine calls.

    def prepare(self) -> bool:
        """Begin an attempt up to, but not including, connect(); False if that already failed."""
        self._attempt = self._new_attempt(monotonic())
        try:
            self._open()
        except OSError as error:
            self._lose(Ending.LOCAL, observe.errno_name(error), observe.detail(error))
            return False
        return True

    def reschedule(self, instant: float) -> None:
        """Say when the attempt was due, for a spike, whose sockets are made before it begins."""
        self._attempt.scheduled = self._attempt.start = instant

    def interrupt(self) -> None:
        """Give up: what is under way ends as `local`, nothing new is begun."""
        if self.state is State.RESTING:
            self._retire()
        elif self.state is not State.DONE:
            self._lose(Ending.LOCAL, None, "interrupted")

    # An attempt.

    def _begin(self, now: float) -> None:
        """Start the next attempt, on the connection that stands or on a new one."""
        if self._engine.over(now):
            self._retire()
        elif self._stream is not None:
            self._attempt = self._new_attempt(now)
            self._attempt.local = self._local
            self._attempt.phase = _SEND
            self._request(now)
        elif self.prepare():
            self.connecting(self.connect(monotonic()))

    def _new_attempt(self, now: float) -> Attempt:
        made = self._made
        self._made = made + 1
        return Attempt(self._engine.request_id(self.index, made), self._scheduled, now)

    # A request and its answer.

    def _request(self, now: float) -> None:
        engine, attempt, stream = self._engine, self._attempt, self._stream
        assert stream is not None
        attempt.nth, self._nth = self._nth, self._nth + 1
        attempt.connection = engine.connection_id(self._connection)
        self._exchange = self._new_exchange(stream)
        self.state = _STATE_SENDING
        engine.loop.set_deadline(self, now + engine.plan.response_timeout)
        self._go_on(self._exchange.send())

    def _new_exchange(self, stream: Stream) -> Exchange:
        engine, attempt = self._engine, self._attempt
        request = engine.request(attempt.id, last=not engine.plan.keep_alive)
        return Exchange(stream, attempt, request, Response(engine.plan.method == "HEAD"))

    def _send(self) -> None:
        """Go on sending, also while an answer comes: until it is complete, it may be a 1xx."""
        assert self._exchange is not None
        step = self._exchange.receive()
        self._go_on(self._exchange.send() if step is SENDING else step)

    def _receive(self) -> None:
        assert self._exchange is not None
        self._go_on(self._exchange.receive())

    def _go_on(self, step: Step) -> None:
        if step is ANSWERED:
            self._answered()
            return
        sending = step is SENDING
        self.state = _STATE_SENDING if sending else _STATE_RECEIVING
        if sending is not self._writing:
            self._writing = sending
            assert self._sock is not None
            self._engine.loop.modify(self._sock.fileno(), BOTH if sending else READ)

    def _answered(self) -> None:
        engine, exchange = self._engine, self._exchange
        assert exchange is not None
        again = engine.plan.keep_alive and exchange.keep_alive
        if again and not exchange.stands():
            again = False
            engine.tally.counts.idle_closed += 1
        now = monotonic()
        self._attempt.close(now)
        if not again:
            self._part()
        self._finish(answered_http(exchange.status), now, None, None)

    # Endings.

    def _failed(self, error: OSError | EarlyEnd | Malformed) -> None:
        if isinstance(error, OSError):
            self._lose(observe.ending(error), observe.errno_name(error), observe.detail(error))
        elif isinstance(error, EarlyEnd):
            self._lose(Ending.CLOSED, None, None)
        else:
            self._lose(Ending.MALFORMED, None, str(error))

    def _lose(self, ending: Ending, errno_name: str | None, detail: str | None) -> None:
        now, attempt = monotonic(), self._attempt
        if ending is Ending.MALFORMED and attempt.phase is Phase.SEND:
            attempt.enter(Phase.RECEIVE, now)  # only what was received can be malformed
        if self.state is not State.HOLDING:
            attempt.close(now)
        phase, ending = observe.settle(attempt.phase, ending, reused=attempt.nth > 0)
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
        self.state = _STATE_RESTING
        if engine.scheme == "tcp":
            self._disconnect()
        self._go_to_next(outcome, end)

    def _go_to_next(self, outcome: str, end: float) -> None:
        """See what follows an attempt that has ended."""
        del outcome, end
        engine = self._engine
        if not engine.more(self._made):
            self._retire()
            return
        self._scheduled = monotonic() + engine.plan.think
        if engine.plan.think:
            if self._stream is not None:
                self._stream.rest()
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
        if self._stream is not None:
            self._part()
        self.state = State.DONE
        self._engine.retired(self)

    def _stay_done(self, now: float) -> None:
        """Ignore a turn that was asked for before an interrupt."""

    def _part(self) -> None:
        """Leave a connection after its last answer, so that what the server still says is read."""
        assert self._sock is not None
        if self._writing:
            self._writing = False
            self._engine.loop.modify(self._sock.fileno(), READ)
        Lingering(self._engine.loop, self._sock)
        self._sock = self._stream = None

    _READY: ClassVar[dict[State, Callable[[Any], None]]] = {
        State.RESTING: _woken,
        State.CONNECTING: Dialler._connected,
        State.HOLDING: Dialler._held,
        State.SHAKING_HANDS: Dialler._shake_hands,
        State.SENDING: _send,
        State.RECEIVING: _receive,
    }
    _EXPIRED: ClassVar[dict[State, Callable[[Any, float], None]]] = {
        State.RESTING: _begin,
        State.CONNECTING: _timed_out,
        State.RETRYING: Dialler._retry,
        State.HOLDING: Dialler._stood,
        State.SHAKING_HANDS: _timed_out,
        State.SENDING: _timed_out,
        State.RECEIVING: _timed_out,
        State.DONE: _stay_done,
    }
