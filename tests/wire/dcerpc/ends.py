"""Both ends of a connection without a wire, and the ways that bytes can arrive."""

from collections.abc import Callable, Iterable

from vaultstorm_wire.dcerpc.connection import NEED_DATA, Connection, Role
from vaultstorm_wire.dcerpc.events import Bind, BindAck, Context, Event, Request, Response
from vaultstorm_wire.dcerpc.negotiation import answer, fragment_sizes
from vaultstorm_wire.dcerpc.syntax import NDR, Syntax, guid_of

RESOLVER = Syntax(guid_of("99fcfec4-5260-101b-bbcb-00aa0021347a"), 0, 0)
DEMONSTRATION = Syntax(guid_of("8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d2"), 0, 0)
SERVED = (RESOLVER, DEMONSTRATION)


def bind(*interfaces: Syntax, call_id: int = 1, size: int = 5840, multiplex: bool = False) -> Bind:
    """Propose interfaces in NDR, as contexts 0, 1, 2."""
    contexts = tuple(Context(n, interface, (NDR,)) for n, interface in enumerate(interfaces))
    return Bind(call_id, contexts, max_xmit=size, max_recv=size, multiplex=multiplex)


def acknowledgement(bind: Bind, group: int = 7, ours: int = 5840) -> BindAck:
    """Answer a bind as a Server 2003 that serves SERVED."""
    xmit, recv = fragment_sizes(bind, ours)
    answers = answer(bind.contexts, SERVED)
    address = "" if bind.alter else "135"
    return BindAck(bind.call_id, answers, group, xmit, recv, address, bind.alter)


def events_of(connection: Connection) -> list[Event]:
    """Take every event that the bytes so far hold."""
    events = []
    while (event := connection.next_event()) is not NEED_DATA:
        events.append(event)
    return events


def only(connection: Connection) -> Event:
    """Take the one event that the bytes so far hold."""
    (event,) = events_of(connection)
    return event


class Ends:
    """A client and a server whose bytes reach each other at once, and as they were meant."""

    def __init__(self, *, max_stub: int = 4 << 20, max_assembling: int = 16) -> None:
        self.client, self.server = (
            Connection(role, max_stub=max_stub, max_assembling=max_assembling)
            for role in (Role.CLIENT, Role.SERVER)
        )

    def to_server(self, event: Event) -> Event:
        """Send from the client; give what the server makes of it."""
        self.server.receive_data(self.client.send(event))
        return only(self.server)

    def to_client(self, event: Event) -> Event:
        """Send from the server; give what the client makes of it."""
        self.client.receive_data(self.server.send(event))
        return only(self.client)

    def bound(
        self, *interfaces: Syntax, size: int = 5840, multiplex: bool = False, ours: int = 5840
    ) -> "Ends":
        """Bind, and give itself back."""
        proposal = self.to_server(bind(*interfaces or SERVED, size=size, multiplex=multiplex))
        assert isinstance(proposal, Bind)
        self.to_client(acknowledgement(proposal, ours=ours))
        return self

    def call(self, call_id: int, stub: bytes = b"", reply: bytes = b"") -> None:
        """Make a whole call on context 0."""
        request = Request(call_id, 0, 3, stub)
        assert self.to_server(request) == request
        response = Response(call_id, 0, reply)
        assert self.to_client(response) == response


def whole(data: bytes) -> Iterable[bytes]:
    """Everything at once."""
    return [data]


def byte_by_byte(data: bytes) -> Iterable[bytes]:
    """One byte at a time."""
    return (data[n : n + 1] for n in range(len(data)))


def but_one(data: bytes) -> Iterable[bytes]:
    """All but the last byte, then the last one."""
    return [data[:-1], data[-1:]]


ARRIVALS: dict[str, Callable[[bytes], Iterable[bytes]]] = {
    "whole": whole,
    "byte by byte": byte_by_byte,
    "all but one": but_one,
}


def arrive(connection: Connection, data: bytes, arrival: str, trailing: bytes = b"") -> list[Event]:
    """Feed bytes one way, the trailing ones with the last; no event may come before its bytes."""
    events: list[Event] = []
    pieces = list(ARRIVALS[arrival](data))
    for n, piece in enumerate(pieces):
        last = n == len(pieces) - 1
        connection.receive_data(piece + trailing if last else piece)
        events += events_of(connection)
        assert last or not events
    return events
