"""The RPC runtime of one server process: its interfaces, its connections, its calls."""

import asyncio
import os
import socket
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import structlog

from vaultstorm_server import clock
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.rpcss.calls import CallLimit
from vaultstorm_server.rpcss.connection import Connection
from vaultstorm_server.rpcss.interfaces import (
    Answer,
    Call,
    Faulted,
    Interface,
    Later,
    Operation,
    by_guid,
    causality_id,
)
from vaultstorm_server.rpcss.outbox import Outbox
from vaultstorm_wire import journal as records
from vaultstorm_wire.dcerpc.association import Groups
from vaultstorm_wire.dcerpc.events import Fault, Request, Response
from vaultstorm_wire.dcerpc.fragments import Budget
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.status import (
    NCA_OP_RNG_ERROR,
    NCA_S_FAULT_UNSPEC,
    NCA_SERVER_TOO_BUSY,
    NCA_UNK_IF,
    RPC_X_BAD_STUB_DATA,
)

log = structlog.get_logger()

CALL_LIMIT: Final = "call_limit"
CONNECTION_LOST: Final = "connection_lost"
STOPPING: Final = "stopping"

UNFINISHED_MAX: Final = 64 << 20
"""Bytes that the unfinished requests of all connections of a process may hold; one may hold the
4 MiB that Windows allows (MS-RPCE 3.3.3.5.3), but no client may have them a thousand times."""


class Surroundings(NamedTuple):
    """What all server processes share.

    Attributes:
        loop: runs everything.
        journal: gets the records.
        outbox: sends the answers.
        numbers: names the connections in the journal.
    """

    loop: asyncio.AbstractEventLoop
    journal: JournalFile
    outbox: Outbox
    numbers: Iterator[int]


class Pending:
    """A call whose method takes its time. Its stub has been read, and is not kept for so long."""

    __slots__ = ("call", "connection", "handle", "later", "limit")

    def __init__(
        self, connection: Connection, call: Call, later: Later, limit: CallLimit | None
    ) -> None:
        call.stub = b""
        self.connection = connection
        self.call = call
        self.later = later
        self.limit = limit
        self.handle: asyncio.TimerHandle | None = None


class Endpoint:
    """Dispatches the calls of all connections of one server process.

    Args:
        around: what it shares with the others.
        interfaces: that it has registered.
        max_fragment: the longest fragment that it offers.
        limit: of the calls in progress; counts those of interfaces that are limited.

    Attributes:
        port: that it is reached at, as the bind_ack says.
        connections: all that are not closed.
        groups: their association groups.
        handles: the context handles of each group, which end with it (MS-RPCE).
        budget: of their unfinished requests.
        calls_in: requests, ever.
        packets_in: what was received, ever; the fragments of a call are one.
        packets_out: what was sent, likewise.
        bugs: calls and connections that ended for an error of ours.
    """

    def __init__(
        self,
        around: Surroundings,
        interfaces: Iterable[Interface],
        max_fragment: int,
        limit: CallLimit | None = None,
    ) -> None:
        self.loop = around.loop
        self.outbox = around.outbox
        self.max_fragment = max_fragment
        self.interfaces = by_guid(interfaces)
        self.syntaxes = tuple(each.syntax for each in self.interfaces.values())
        self.groups = Groups()
        self.handles: dict[int, dict[bytes, object]] = {}
        self.budget = Budget(UNFINISHED_MAX)
        self.connections: set[Connection] = set()
        self.port = 0
        self.calls_in = 0
        self.packets_in = 0
        self.packets_out = 0
        self.bugs = 0
        self._journal = around.journal
        self._numbers = around.numbers
        self._limit = limit
        self._pending: set[Pending] = set()
        self._pid = os.getpid()

    def take(self, sock: socket.socket, peer: str) -> None:
        """Serve a connection that the process has accepted; it is this object's from here on."""
        connection = Connection(self, sock, peer, next(self._numbers))
        self.connections.add(connection)
        connection.start()

    @property
    def calls_in_progress(self) -> int:
        """Calls whose method has begun and not ended."""
        return len(self._pending)

    def stop(self, *, reset: bool) -> None:
        """End at once: calls in progress end unexecuted, connections with a RST or a FIN."""
        pending, self._pending = self._pending, set()
        for each in pending:
            assert each.handle is not None
            each.handle.cancel()
            if each.limit is not None:
                each.limit.end()
            # Whoever had gone before did not lose its answer to this.
            cause = STOPPING if each.connection.open else CONNECTION_LOST
            self._record(each.connection, each.call, cause=cause)
        for connection in tuple(self.connections):
            if reset:
                connection.reset()
            else:
                connection.close()

    def serve(self, connection: Connection, request: Request, received: float) -> None:
        """Do what a request asks for, and answer it, now or when its method has ended."""
        self.calls_in += 1
        call = Call(
            request.stub,
            request.little,
            request.object,
            connection,
            received,
            (request.call_id, request.context_id),
        )
        limit: CallLimit | None = None
        cause: str | None = None
        outcome: Answer | Later | Faulted
        try:
            interface, operation = self._find(connection, request, call)
            if interface.limited and self._limit is not None:
                if not self._limit.begin():
                    cause = CALL_LIMIT
                    raise Faulted(NCA_SERVER_TOO_BUSY, did_not_execute=True)
                limit = self._limit
            call.dispatched = clock.now()
            outcome = operation.method(call)
        except Faulted as fault:
            call.dispatched = None
            outcome = fault
        except NdrError as error:
            log.debug("bad_stub_data", method=call.method, error=str(error))
            call.dispatched = None
            outcome = Faulted(RPC_X_BAD_STUB_DATA)
        except Exception:
            outcome = self._bug(call)
        if isinstance(outcome, Later):
            self._begin(Pending(connection, call, outcome, limit))
            return
        if limit is not None:
            limit.end()
        self._end(connection, call, outcome, cause)

    def _find(
        self, connection: Connection, request: Request, call: Call
    ) -> tuple[Interface, Operation]:
        syntax = connection.interface(request.context_id)
        if syntax is None:
            # Windows answers so, and names no context (Samba's conformance tests of Windows).
            call.method = f"opnum {request.opnum}"
            call.address = request.call_id, 0
            raise Faulted(NCA_UNK_IF, did_not_execute=True)
        interface = self.interfaces[syntax.guid]
        call.target = interface.name
        if interface.causal:
            call.id = causality_id(call.stub, call.little)
        operation = interface.operations.get(request.opnum)
        if operation is None:
            call.method = f"opnum {request.opnum}"
            raise Faulted(NCA_OP_RNG_ERROR, did_not_execute=True)
        call.method = operation.name
        return interface, operation

    def _begin(self, pending: Pending) -> None:
        self._pending.add(pending)
        pending.connection.call_began()
        pending.handle = self.loop.call_later(pending.later.delay, self._finish, pending)

    def _finish(self, pending: Pending) -> None:
        self._pending.discard(pending)
        if pending.limit is not None:
            pending.limit.end()
        outcome: Answer | Faulted
        try:
            outcome = pending.later.finish()
        except Exception:
            outcome = self._bug(pending.call)
        self._end(pending.connection, pending.call, outcome, None)
        pending.connection.call_ended()

    def _bug(self, call: Call) -> Faulted:
        self.bugs += 1
        log.exception("rpc_bug", interface=call.target, method=call.method)
        return Faulted(NCA_S_FAULT_UNSPEC)

    def _end(
        self,
        connection: Connection,
        call: Call,
        outcome: Answer | Faulted,
        cause: str | None,
    ) -> None:
        """Journal what has become of a call, and tell the client, if it is still there."""
        if isinstance(outcome, Answer) and outcome.execution is not None:
            self._journal.append(
                records.Execution(
                    time=clock.now(),
                    id=call.id,
                    worker=self._pid,
                    method=call.method,
                    target=outcome.execution,
                    status=outcome.status,
                )
            )
        if not connection.open:
            self._record(connection, call, cause=CONNECTION_LOST)
            return
        self._record(connection, call, status=outcome.status, cause=cause)
        call_id, context_id = call.address
        if isinstance(outcome, Answer):
            connection.send(Response(call_id, context_id, outcome.stub))
        else:
            fault = Fault(call_id, context_id, outcome.status, outcome.did_not_execute)
            connection.send(fault)

    def _record(
        self,
        connection: Connection,
        call: Call,
        *,
        status: int | None = None,
        cause: str | None = None,
    ) -> None:
        if self._journal.path is None:
            return
        self._journal.append(
            records.Request(
                time=call.received,
                id=call.id,
                connection=connection.number,
                peer=connection.peer,
                method=call.method,
                target=call.target,
                worker=None if call.dispatched is None else self._pid,
                dispatched=call.dispatched,
                answered=None if status is None else clock.now(),
                status=status,
                cause=cause,
            )
        )

    def __repr__(self) -> str:
        return f"<Endpoint on port {self.port}: {len(self.connections)} connections>"
