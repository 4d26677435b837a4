"""A connection, from both ends."""

import pytest

from tests.wire.dcerpc import captured
from tests.wire.dcerpc.ends import (
    ARRIVALS,
    DEMONSTRATION,
    RESOLVER,
    Ends,
    acknowledgement,
    arrive,
    bind,
    events_of,
    only,
)
from tests.wire.dcerpc.test_binds import BIG_BIND, BIG_BIND_ACK
from tests.wire.dcerpc.test_calls import BIG_REQUEST, OBJECT, fragments_of
from vaultstorm_wire.dcerpc.connection import (
    NEED_DATA,
    Connection,
    LocalProtocolError,
    RemoteProtocolError,
    Role,
    State,
)
from vaultstorm_wire.dcerpc.events import (
    Auth,
    Auth3,
    Bind,
    BindNak,
    Cancel,
    Closed,
    Context,
    Event,
    Fault,
    Orphaned,
    Request,
    Response,
    Shutdown,
)
from vaultstorm_wire.dcerpc.status import NCA_PROTO_ERROR, NCA_SERVER_TOO_BUSY
from vaultstorm_wire.dcerpc.syntax import NDR

STUB = b"stub bytes" * 3


def server(*received: bytes) -> Connection:
    """Give a server end that has been bound by impacket's bind, and what came after."""
    connection = Connection(Role.SERVER)
    connection.receive_data(captured.BIND_THREE)
    proposal = only(connection)
    assert isinstance(proposal, Bind)
    connection.send(acknowledgement(proposal))
    for data in received:
        connection.receive_data(data)
    return connection


def client(*sent: Event) -> Connection:
    """Give a client end whose bind impacket's server has answered, and what it sent since."""
    connection = Connection(Role.CLIENT)
    connection.send(bind(RESOLVER, size=4280))
    connection.receive_data(captured.BIND_ACK)
    only(connection)
    for event in sent:
        connection.send(event)
    return connection


def breach(connection: Connection, data: bytes = b"") -> RemoteProtocolError:
    """Feed what breaks the protocol; from then on nothing but the error comes."""
    if data:
        connection.receive_data(data)
    with pytest.raises(RemoteProtocolError) as caught:
        events_of(connection)
    assert connection.state is State.CLOSED
    connection.receive_data(captured.CANCEL)
    with pytest.raises(RemoteProtocolError, match=r".") as again:
        connection.next_event()
    assert (str(again.value), again.value.answer) == (str(caught.value), None)
    with pytest.raises(LocalProtocolError):
        connection.send(Response(2, 0, b""))
    return caught.value


TO_SERVER = [
    ("REQUEST_EMPTY", Request(1, 0, 5, b"")),
    ("REQUEST_OBJECT", Request(2, 0, 5, STUB, OBJECT)),
    ("REQUEST_FRAGMENTS", Request(3, 0, 3, bytes(range(100)))),
    ("ALTER", Bind(4, (Context(1, DEMONSTRATION, (NDR,)),), 0, 4280, 4280, alter=True)),
    ("ORPHANED", Orphaned(2)),
]


@pytest.mark.parametrize("arrival", ARRIVALS)
@pytest.mark.parametrize("trailing", [b"", b"\x05\x00", captured.REQUEST_SIGNED[:20]])
@pytest.mark.parametrize("name, event", TO_SERVER, ids=[name for name, _ in TO_SERVER])
def test_what_a_server_reads(arrival: str, trailing: bytes, name: str, event: Event) -> None:
    """Each PDU of impacket's gives its event, however its bytes arrive and whatever follows."""
    assert arrive(server(), getattr(captured, name), arrival, trailing) == [event]


@pytest.mark.parametrize("arrival", ARRIVALS)
def test_a_big_endian_conversation(arrival: str) -> None:
    """Both ends understand a big-endian peer, however its bytes arrive."""
    connection = Connection(Role.SERVER)
    (proposal,) = arrive(connection, BIG_BIND, arrival, b"\x05")
    assert isinstance(proposal, Bind)
    assert proposal.multiplex
    big_client = Connection(Role.CLIENT)
    big_client.send(Bind(2, (Context(1, RESOLVER, (NDR,)),)))
    arrive(big_client, BIG_BIND_ACK, arrival)
    assert (big_client.interface(1), big_client.max_xmit) == (RESOLVER, 4096)
    (request,) = arrive(server(), BIG_REQUEST, arrival)
    assert request == Request(2, 1, 5, b"\xde\xad\xbe\xef", OBJECT, little=False)


TO_CLIENT = [
    ("RESPONSE", 1, Response(1, 0, b"answer to 5\0")),
    ("FAULT", 2, Fault(2, 0, NCA_SERVER_TOO_BUSY, True)),
    ("FAULT_SHORT", 1, Fault(1, 0, 0x6E4, False)),
    ("SHUTDOWN", 1, Shutdown()),
]


@pytest.mark.parametrize("arrival", ARRIVALS)
@pytest.mark.parametrize("trailing", [b"", b"\x05\x00"])
@pytest.mark.parametrize("name, call_id, event", TO_CLIENT, ids=[name for name, _, _ in TO_CLIENT])
def test_what_a_client_reads(
    arrival: str, trailing: bytes, name: str, call_id: int, event: Event
) -> None:
    """Each PDU of a server gives its event, however its bytes arrive and whatever follows."""
    end = client(Request(call_id, 0, 5, b""))
    assert arrive(end, getattr(captured, name), arrival, trailing) == [event]


def test_a_whole_conversation() -> None:
    """Bind, calls, an alter_context, more calls, and the end, both ends agreeing all along."""
    ends = Ends().bound(RESOLVER)
    assert ends.client.group == ends.server.group == 7
    ends.call(2, b"request", b"response")
    alter = Bind(3, (Context(1, DEMONSTRATION, (NDR,)),), alter=True)
    assert ends.to_server(alter) == alter
    assert ends.to_client(acknowledgement(alter)) == acknowledgement(alter)
    for end in (ends.client, ends.server):
        assert [end.interface(n) for n in (0, 1, 2)] == [RESOLVER, DEMONSTRATION, None]
        assert end.state is State.BOUND
    assert ends.to_server(Request(4, 1, 3, b"", OBJECT)) == Request(4, 1, 3, b"", OBJECT)
    assert (ends.client.calls_in_progress, ends.server.calls_in_progress) == (1, 1)
    assert ends.to_server(Cancel(4)) == Cancel(4)
    fault = Fault(4, 1, 5, did_not_execute=False)
    assert ends.to_client(fault) == fault
    ends.client.receive_data(b"")
    assert events_of(ends.client) == [Closed()]
    assert repr(ends.server) == "<Connection server bound contexts=2 calls=0 unread=0 held=0>"


def test_a_context_that_nobody_accepted_reaches_the_server() -> None:
    """What to say to it is the caller's: the connection goes on."""
    ends = Ends().bound(RESOLVER)
    assert ends.to_server(Request(2, 9, 0, b"")) == Request(2, 9, 0, b"")
    assert ends.server.interface(9) is None
    ends.to_client(Fault(2, 0, 0x1C010003, did_not_execute=True))
    ends.call(3)


@pytest.mark.parametrize("size", [1432, 4280, 5840])
@pytest.mark.parametrize("times, more", [(0, 0), (0, 1), (1, -1), (1, 0), (1, 1), (3, 5)])
def test_fragments_both_ways(size: int, times: int, more: int) -> None:
    """Stubs around the size of a fragment arrive whole both ways, within what was negotiated."""
    ends = Ends().bound(RESOLVER, size=size)
    room = (size - 24) // 8 * 8
    stub = bytes(n % 251 for n in range(times * room + more))
    assert ends.client.max_xmit == ends.server.max_xmit == size
    ends.call(2, stub, stub)
    longest = max(map(len, fragments_of(ends.client.send(Request(3, 0, 3, stub)))))
    assert longest <= size


def test_the_servers_setting_is_kept_to() -> None:
    """A server that offers smaller fragments sends and gets smaller ones."""
    ends = Ends().bound(RESOLVER, ours=1432)
    assert ends.client.max_xmit == ends.server.max_xmit == 1432
    ends.call(2, bytes(5000), bytes(5000))


@pytest.mark.parametrize("length, fits", [(5839, True), (5840, True), (5841, False)])
def test_a_request_of_more_than_a_fragment(length: int, fits: bool) -> None:
    """Up to 5840 bytes are read whatever was negotiated; beyond it the header alone is enough."""
    end = server()
    data = captured.REQUEST_EMPTY[:8] + length.to_bytes(2, "little") + captured.REQUEST_EMPTY[10:]
    if fits:
        end.receive_data(data + bytes(length - 24))
        assert only(end) == Request(1, 0, 5, bytes(length - 24))
    else:
        error = breach(end, data[:16])
        assert error.status == NCA_PROTO_ERROR
        assert error.answer is not None
        assert error.answer[20:22] == b"\0\0"


def test_pipelined_pdus_come_one_by_one() -> None:
    """All that has arrived at once is given in its order."""
    end = server(captured.REQUEST_EMPTY + captured.REQUEST_OBJECT + captured.CANCEL)
    assert [type(event) for event in events_of(end)] == [Request, Request, Cancel]


def test_multiplexed_fragments() -> None:
    """Where both ends agreed, fragments of two calls may be mixed on the way to the server."""
    ends = Ends().bound(RESOLVER, size=1432, multiplex=True)
    assert ends.client.multiplex
    assert ends.server.multiplex
    first = fragments_of(ends.client.send(Request(2, 0, 3, b"a" * 3000)))
    second = fragments_of(ends.client.send(Request(3, 0, 3, b"b" * 2000)))
    for data in (first[0], second[0], first[1], second[1], first[2]):
        ends.server.receive_data(data)
    assert events_of(ends.server) == [Request(3, 0, 3, b"b" * 2000), Request(2, 0, 3, b"a" * 3000)]
    assert ends.to_client(Response(2, 0, b"")) == Response(2, 0, b"")
    assert ends.to_client(Response(3, 0, b"")) == Response(3, 0, b"")


def test_without_multiplexing_a_client_makes_one_call_at_a_time() -> None:
    """A second call has to wait for the first one's answer."""
    ends = Ends().bound(RESOLVER)
    ends.client.send(Request(2, 0, 3, b""))
    with pytest.raises(LocalProtocolError, match="multiplexing"):
        ends.client.send(Request(3, 0, 3, b""))


def test_a_bind_is_refused() -> None:
    """After a bind_nak only closing is left, at both ends."""
    ends = Ends()
    ends.to_server(bind(RESOLVER))
    assert ends.to_client(BindNak(1, 2)) == BindNak(1, 2)
    assert ends.client.state is ends.server.state is State.REFUSED
    with pytest.raises(LocalProtocolError):
        ends.client.send(bind(RESOLVER))
    assert ends.client.send(Closed()) == b""
    ends.server.receive_data(b"")
    assert only(ends.server) == Closed()


def test_a_bind_with_authentication_reaches_the_server() -> None:
    """The server decides; if it goes along, the third leg may come."""
    end = Connection(Role.SERVER)
    end.receive_data(captured.BIND_NTLM)
    proposal = only(end)
    assert isinstance(proposal, Bind)
    assert proposal.auth == Auth(10, 2)
    end.send(acknowledgement(proposal))
    end.receive_data(captured.AUTH3)
    assert only(end) == Auth3(1)


def test_an_alter_context_is_refused_by_a_fault() -> None:
    """The connection stays as it was, and goes on."""
    ends = Ends().bound(RESOLVER)
    ends.to_server(Bind(3, (Context(1, DEMONSTRATION, (NDR,)),), alter=True))
    fault = Fault(3, 0, 5, did_not_execute=True)
    assert ends.to_client(fault) == fault
    assert ends.client.state is ends.server.state is State.BOUND
    ends.call(4)


def test_calls_go_on_beside_an_alter_context() -> None:
    """A call that was on its way is answered before or after the alter_context."""
    ends = Ends().bound(RESOLVER)
    ends.to_server(Request(2, 0, 3, b""))
    alter = Bind(3, (Context(1, DEMONSTRATION, (NDR,)),), alter=True)
    ends.to_server(alter)
    ends.to_client(Response(2, 0, b"late"))
    ends.to_client(acknowledgement(alter))


def test_orphaned_is_the_end_of_the_connection() -> None:
    """As at a Server 2003: nothing more is read or sent, by either end."""
    ends = Ends().bound(RESOLVER)
    ends.to_server(Request(2, 0, 3, b""))
    assert ends.to_server(Orphaned(2)) == Orphaned(2)
    assert ends.client.state is ends.server.state is State.CLOSED
    with pytest.raises(LocalProtocolError):
        ends.server.send(Response(2, 0, b""))
    ends.server.receive_data(captured.CANCEL)
    ends.server.receive_data(b"")
    assert events_of(ends.server) == []


@pytest.mark.parametrize("cut", [0, 1, 16, 23])
def test_the_peers_end(cut: int) -> None:
    """Closed comes once, after what was whole, even in the middle of a PDU."""
    end = server(captured.REQUEST_EMPTY + captured.REQUEST_EMPTY[:cut])
    end.receive_data(b"")
    assert events_of(end) == [Request(1, 0, 5, b""), Closed()]
    assert end.next_event() is NEED_DATA
    assert end.calls_in_progress == 0
    end.receive_data(b"")
    with pytest.raises(LocalProtocolError):
        end.receive_data(b"more")


@pytest.mark.parametrize(
    "said",
    [bind(RESOLVER), Request(2, 0, 0, b""), Cancel(2), Orphaned(2)],
    ids=["bind", "request", "cancel", "orphaned"],
)
def test_a_server_does_not_say_what_clients_say(said: Event) -> None:
    """Proposals and calls are not a server's to make."""
    with pytest.raises(LocalProtocolError, match="does not send"):
        Ends().bound().server.send(said)


@pytest.mark.parametrize(
    "event", [Response(2, 0, b""), Fault(2, 0, 5, True), BindNak(1, 0), Shutdown()]
)
def test_a_client_does_not_say_what_servers_say(event: Event) -> None:
    """Answers are not a client's to give, and an auth3 is nobody's here."""
    for said in (event, Auth3(1)):
        with pytest.raises(LocalProtocolError, match="sen"):
            Ends().bound().client.send(said)


@pytest.mark.parametrize(
    "event",
    [
        Request(1, 0, 0, b""),
        Bind(1, (), alter=True),
        Bind(1, ()),
        Bind(1, (Context(0, RESOLVER, (NDR,)),), max_xmit=0x10000),
        Cancel(1),
    ],
)
def test_what_cannot_be_said_is_not(event: Event) -> None:
    """Before a bind, or out of range: nothing is written and nothing changes."""
    end = Connection(Role.CLIENT)
    with pytest.raises(LocalProtocolError):
        end.send(event)
    assert end.state is State.ESTABLISHED
    end.send(bind(RESOLVER))
