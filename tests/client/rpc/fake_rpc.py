"""A small DCOM server: a resolver and an object exporter, each of which may misbehave."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.client.harness import HOST, Fired, fire
from tests.support.misbehaving import Misbehaving, Peer
from vaultstorm_wire.dcerpc.connection import Connection, Role
from vaultstorm_wire.dcerpc.demonstration import WORK, WorkIn, WorkOut
from vaultstorm_wire.dcerpc.events import (
    NEED_DATA,
    Bind,
    BindAck,
    BindNak,
    ContextAnswer,
    Event,
    Fault,
    Request,
    Response,
)
from vaultstorm_wire.dcerpc.objref import DualStringArray, ObjRef, StdObjRef, StringBinding
from vaultstorm_wire.dcerpc.orpc import OrpcThat
from vaultstorm_wire.dcerpc.scm_activator import (
    REMOTE_CREATE_INSTANCE,
    RemoteCreateInstanceIn,
    RemoteCreateInstanceOut,
)
from vaultstorm_wire.dcerpc.status import ContextResult
from vaultstorm_wire.dcerpc.syntax import NDR, guid_text

IPID = bytes(range(16))
ACCEPTED = ContextAnswer(ContextResult.ACCEPT, 0, NDR)


class Rpc:
    """One connection of the server.

    Attributes:
        peer: its socket, and what can be done to it.
        wire: its protocol.
        server: the whole server.
    """

    def __init__(self, server: "FakeRpc", peer: Peer) -> None:
        self.server = server
        self.peer = peer
        self.wire = Connection(Role.SERVER)

    def event(self) -> Event | None:
        """Read one event; None at the client's end."""
        while (event := self.wire.next_event()) is NEED_DATA:
            data = self.peer.sock.recv(65536)
            if not data:
                return None
            self.wire.receive_data(data)
        return event

    def send(self, event: Event) -> None:
        """Send one event."""
        self.peer.say(self.wire.send(event))

    def bind(self, *answers: ContextAnswer) -> None:
        """Read a bind, and answer it: accept all, or what is given."""
        bind = self.event()
        assert isinstance(bind, Bind)
        self.send(
            BindAck(bind.call_id, answers or (ACCEPTED,) * len(bind.contexts), 1, 5840, 5840, "0")
        )

    def nak(self, reason: int) -> None:
        """Read a bind, and refuse it."""
        bind = self.event()
        assert isinstance(bind, Bind)
        self.send(BindNak(bind.call_id, reason))

    def request(self) -> Request | None:
        """Read a call, and note its id; None at the client's end."""
        event = self.event()
        if event is None:
            return None
        assert isinstance(event, Request)
        kind = WorkIn if event.opnum == WORK else RemoteCreateInstanceIn
        self.peer.server.seen.append(guid_text(kind.decode(event.stub).orpcthis.cid))
        return event

    def answer(self, request: Request) -> bytes:
        """Give the bytes of a good answer."""
        if request.opnum == REMOTE_CREATE_INSTANCE:
            stub = self.server.created(request).encode()
        else:
            assert (request.opnum, request.object) == (WORK, IPID)
            self.server.executed += 1
            stub = WorkOut(OrpcThat(), self.server.executed, 0).encode()
        return self.wire.send(Response(request.call_id, request.context_id, stub))

    def serve(self) -> None:
        """Take a bind, and answer every call."""
        self.bind()
        while (request := self.request()) is not None:
            self.peer.say(self.answer(request))

    def fault(self, status: int, did_not_execute: bool) -> None:
        """Take a bind, and answer every call with a fault."""
        self.bind()
        while (request := self.request()) is not None:
            self.send(Fault(request.call_id, request.context_id, status, did_not_execute))


Behaviour = Callable[[Rpc], None]


class FakeRpc:
    """Listens on two free ports of 127.0.0.1 for as long as its `with` block lasts.

    Args:
        resolver: what is done to each connection to the resolver.
        exporter: to each to the object exporter.
        bindings: what an activation gives; the exporter's own by default.

    Attributes:
        executed: how often Work has run.
        twist: changes what an activation gives.
    """

    def __init__(
        self,
        resolver: Behaviour = Rpc.serve,
        exporter: Behaviour = Rpc.serve,
        bindings: tuple[StringBinding, ...] | None = None,
    ) -> None:
        self.executed = 0
        self.twist: Callable[[RemoteCreateInstanceOut], RemoteCreateInstanceOut] = lambda out: out
        self.resolver = Misbehaving(lambda peer: resolver(Rpc(self, peer)))
        self.exporter = Misbehaving(lambda peer: exporter(Rpc(self, peer)))
        self.bindings = bindings or (StringBinding(7, f"{HOST}[{self.exporter.port}]"),)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.resolver)
        self._stack.enter_context(self.exporter)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def created(self, request: Request) -> RemoteCreateInstanceOut:
        """Make an object."""
        asked = RemoteCreateInstanceIn.decode(request.stub, request.little)
        strings = DualStringArray(self.bindings)
        reference = ObjRef(asked.iids[0], StdObjRef(0, 5, 1, 2, IPID), strings)
        return self.twist(
            RemoteCreateInstanceOut(
                OrpcThat(), 0, 1, strings, IPID, 1, asked.iids, ((0, reference),)
            )
        )


def fire_at(server: FakeRpc, directory: Path, **options: Any) -> Fired:
    """Fire at the resolver of `server`, which must see no call twice."""
    fired = fire(server.resolver.port, directory, "rpc", **options)
    seen = [*server.resolver.seen, *server.exporter.seen]
    assert [name for name, count in Counter(seen).items() if count > 1] == []
    assert set(seen) <= {record.id for record in fired.records}
    ports = {"activation": server.resolver.port, "call": server.exporter.port}
    for record in fired.records:
        assert record.operation is not None
        assert record.peer in (f"{HOST}:{ports[record.operation]}", "0.0.0.0:0")
    return fired
