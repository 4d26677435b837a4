"""One thread of the article's application: it activates a component, and calls it (KB960007).

It has two connections, as a synchronous RPC client has: one to the resolver, one to the object's
exporter. Only one of them is in use at a time; the other is parked.
"""

import socket
from typing import TYPE_CHECKING, ClassVar

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.client import Client
from vaultstorm_client.clock import monotonic
from vaultstorm_client.dialler import Dialler, State
from vaultstorm_client.exchange import Step
from vaultstorm_client.loop import BOTH, READ
from vaultstorm_client.response import Malformed
from vaultstorm_client.rpc.answers import Answer, activated, worked
from vaultstorm_client.rpc.causality import causality
from vaultstorm_client.rpc.counts import ACTIVATION, CALL
from vaultstorm_client.rpc.exchange import RpcExchange
from vaultstorm_client.rpc.exporters import NOWHERE, Unreachable, Where
from vaultstorm_client.rpc.parked import Parked
from vaultstorm_client.rpc.rejection import rejection
from vaultstorm_client.rpc.shared import STUB_MAX, Shared
from vaultstorm_client.stream import PlainStream
from vaultstorm_wire.dcerpc.connection import Connection, Role
from vaultstorm_wire.dcerpc.events import BindAck, BindNak
from vaultstorm_wire.dcerpc.status import NCA_PROTO_ERROR
from vaultstorm_wire.outcome import (
    OK,
    RPC_S_CALL_CANCELLED,
    RPC_S_SERVER_UNAVAILABLE,
    Ending,
    Phase,
    answered_rpc,
    lost,
)

if TYPE_CHECKING:
    from vaultstorm_client.engine import Engine


class RpcClient(Client):
    """Makes rounds of one activation and the calls of what it gave."""

    __slots__ = (
        "_answer",
        "_calls",
        "_cid",
        "_object",
        "_operation",
        "_other",
        "_rounds",
        "_rpc",
        "_shared",
        "_where",
        "_wire",
    )

    def __init__(self, engine: "Engine", index: int, scheduled: float) -> None:
        super().__init__(engine, index, scheduled)
        assert engine.rpc is not None
        self._shared: Shared = engine.rpc
        self._operation = ACTIVATION
        self._rounds = self._calls = 0
        self._where: Where | Unreachable = self._shared.resolver
        self._other: Parked | None = None
        self._object: Answer | None = None
        self._answer = Answer(0)
        self._wire: Connection | None = None
        self._rpc: RpcExchange | None = None
        self._cid = b""

    def interrupt(self) -> None:
        """Give up: what is under way ends as `local`, as a call does that its caller cancels."""
        self._attempt.win32 = RPC_S_CALL_CANCELLED
        super().interrupt()

    # An attempt.

    def _begin(self, now: float) -> None:
        if not self._engine.over(now):
            self._turn_to(self._destination())
        super()._begin(now)

    def _destination(self) -> Where | Unreachable:
        if self._operation == ACTIVATION:
            return self._shared.resolver
        assert self._object is not None
        try:
            return self._shared.exporters.choose(self._object.bindings)
        except Unreachable as error:
            return error

    def _turn_to(self, where: Where | Unreachable) -> None:
        """Have the connection to `where` in use, if there is one, and park the other."""
        if where == self._where:
            return
        parked = None if self._stream is None else self._park()
        other = self._other
        self._where = where
        if isinstance(where, Where):
            self._address = where.address
        if other is not None and other.where == where:
            self._other = parked
            self._take_up(other)
        elif parked is not None:
            self._other = parked
            if other is not None:
                other.leave()

    def _park(self) -> Parked:
        sock, stream, wire, where = self._sock, self._stream, self._wire, self._where
        assert sock is not None
        assert stream is not None
        assert wire is not None
        assert isinstance(where, Where)
        self._sock = self._stream = None
        return Parked(
            self._engine, sock, stream, wire, where, self._connection, self._nth, self._local
        )

    def _take_up(self, parked: Parked) -> None:
        if parked.sock is None:
            return  # it has ended meanwhile
        self._sock, self._stream, self._wire = parked.sock, parked.stream, parked.wire
        self._connection, self._nth, self._local = parked.number, parked.nth, parked.local
        self._engine.loop.hand_over(parked.sock.fileno(), self)

    def _new_attempt(self, now: float) -> Attempt:
        made, where = self._made, self._where
        self._made = made + 1
        self._cid, name = causality(self._shared.seed, self.index, made)
        attempt = Attempt(name, self._scheduled, now)
        attempt.operation = self._operation
        if isinstance(where, Where):
            attempt.peer = where.text
        else:  # all protocol sequences are used up (MS-DCOM 3.2.4.1.1.1)
            attempt.peer, attempt.win32 = NOWHERE, RPC_S_SERVER_UNAVAILABLE
        return attempt

    def _open(self) -> None:
        if isinstance(self._where, Unreachable):
            self._connection, self._nth = self._engine.next_connection(), 0
            raise self._where
        super()._open()

    def _next_phase(self) -> Phase:
        return Phase.BIND

    def _speak(self, sock: socket.socket, now: float) -> None:
        """Bind, with the connection's only presentation context."""
        engine = self._engine
        self._stream = stream = PlainStream(sock)
        self._wire = wire = Connection(Role.CLIENT, max_stub=STUB_MAX)
        data = wire.send(self._shared.bind(self._operation))
        self._rpc = RpcExchange(stream, self._attempt, wire, data)
        engine.loop.set_deadline(self, now + engine.plan.bind_timeout)
        self._go_on(self._rpc.send())

    def _request(self, now: float) -> None:
        engine, attempt, stream, wire = self._engine, self._attempt, self._stream, self._wire
        assert stream is not None
        assert wire is not None
        attempt.nth, self._nth = self._nth, self._nth + 1
        attempt.connection = engine.connection_id(self._connection)
        call_id = self._nth + 1  # the bind was 1
        if self._operation == ACTIVATION:
            request = self._shared.activation(call_id, self._cid)
        else:
            assert self._object is not None
            request = self._shared.call(call_id, self._cid, self._object.ipid)
        self._rpc = RpcExchange(stream, attempt, wire, wire.send(request))
        engine.loop.set_deadline(self, now + engine.plan.response_timeout)
        self._go_on(self._rpc.send())

    def _exchange_on(self) -> None:
        assert self._rpc is not None
        step = self._rpc.receive()
        self._go_on(self._rpc.send() if step is Step.SENDING else step)

    def _go_on(self, step: Step) -> None:
        binding = self._attempt.phase is Phase.BIND
        if step is Step.ANSWERED:
            if binding:
                self._bound()
            else:
                self._answered()
            return
        sending = step is Step.SENDING
        self.state = State.BINDING if binding else State.SENDING if sending else State.RECEIVING
        if sending is not self._writing:
            self._writing = sending
            assert self._sock is not None
            self._engine.loop.modify(self._sock.fileno(), BOTH if sending else READ)

    def _bound(self) -> None:
        """Go on with the request, if the server takes the bind."""
        attempt, exchange = self._attempt, self._rpc
        assert exchange is not None
        said, now = exchange.answer, monotonic()
        if not isinstance(said, BindAck | BindNak):
            raise Malformed(f"{type(said).__name__} is no answer to a bind")
        why = rejection(said)
        if why is None:
            attempt.enter(Phase.SEND, now)
            self._request(now)
            return
        attempt.close(now)
        attempt.win32 = why.win32
        self._part()
        self._finish(lost(Phase.BIND, Ending.REJECTED), now, None, why.detail)

    def _answered(self) -> None:
        engine, exchange = self._engine, self._rpc
        assert exchange is not None
        activation = self._operation == ACTIVATION
        self._answer = answer = (activated if activation else worked)(exchange.answer)
        now = monotonic()
        self._attempt.close(now)
        last = not engine.plan.keep_alive and (activation or self._calls == 1)
        if last or not exchange.reusable or answer.status == NCA_PROTO_ERROR:
            self._part()
        self._finish(answered_rpc(answer.status), now, None, answer.detail)

    # What follows an attempt.

    def _go_to_next(self, outcome: str, end: float) -> None:
        del end
        engine, plan = self._engine, self._engine.plan
        if self._operation == ACTIVATION:
            self._rounds += 1
            self._calls = plan.calls if outcome == OK else 0
            self._object = self._answer if outcome == OK else None
        else:
            self._calls -= 1
        self._scheduled = monotonic()
        if self._calls:
            self._operation = CALL
            engine.loop.soon(self)
            return
        self._end_round()

    def _end_round(self) -> None:
        engine, think = self._engine, self._engine.plan.think
        self._operation = ACTIVATION
        self._object = None
        if not engine.more(self._rounds):
            self._retire()
        elif think:
            self._scheduled += think
            engine.loop.set_deadline(self, self._scheduled)
        else:
            engine.loop.soon(self)

    def _retire(self) -> None:
        if self._other is not None:
            self._other.leave()
            self._other = None
        super()._retire()

    _READY: ClassVar = {
        State.RESTING: Client._woken,
        State.CONNECTING: Dialler._connected,
        State.BINDING: _exchange_on,
        State.SENDING: _exchange_on,
        State.RECEIVING: _exchange_on,
    }
    _EXPIRED: ClassVar = {
        **Client._EXPIRED,
        State.RESTING: _begin,
        State.BINDING: Client._timed_out,
    }
