"""Peers that break the protocol, and what they are told."""

import pytest

from tests.wire.dcerpc import captured
from tests.wire.dcerpc.ends import DEMONSTRATION, RESOLVER, acknowledgement, bind
from tests.wire.dcerpc.test_connection import breach, client, server
from vaultstorm_wire.dcerpc import binds, calls
from vaultstorm_wire.dcerpc.connection import Connection, RemoteProtocolError, Role
from vaultstorm_wire.dcerpc.events import Bind, BindNak, Context, Fault, Request
from vaultstorm_wire.dcerpc.pdu import decode_header
from vaultstorm_wire.dcerpc.status import ERROR_ACCESS_DENIED, NCA_PROTO_ERROR
from vaultstorm_wire.dcerpc.syntax import NDR


def said(error: RemoteProtocolError) -> Fault | BindNak:
    """Read what is to be sent before closing: one PDU, and nothing behind it."""
    assert error.answer is not None
    header = decode_header(error.answer, 0)
    assert header.frag_length == len(error.answer)
    if header.ptype == 13:
        return binds.decode_bind_nak(error.answer, 0, header)
    return calls.decode_fault(error.answer, 0, header)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """Change some bytes."""
    return data[:at] + new + data[at + len(new) :]


def encoded(contexts: tuple[Context, ...], alter: bool) -> bytes:
    """Write a bind that no Connection would."""
    return binds.encode_bind(Bind(5, contexts, alter=alter))


@pytest.mark.parametrize(
    "name",
    [
        "ALTER",
        "REQUEST_EMPTY",
        "CANCEL",
        "ORPHANED",
        "AUTH3",
        "RESPONSE",
        "FAULT",
        "BIND_ACK",
        "BIND_NAK",
        "SHUTDOWN",
    ],
)
def test_what_may_not_come_first(name: str) -> None:
    """Before a bind, everything else is a protocol error."""
    data = getattr(captured, name)
    error = breach(Connection(Role.SERVER), data)
    did_not_execute = name == "ALTER"
    call_id = decode_header(data, 0).call_id
    assert said(error) == Fault(call_id, 0, NCA_PROTO_ERROR, did_not_execute)


def test_a_second_bind_is_refused_by_a_bind_nak() -> None:
    """A connection is bound once."""
    assert said(breach(server(), captured.BIND)) == BindNak(1, 0)


def test_a_request_before_the_answer_to_the_bind() -> None:
    """The client cannot know yet that it was accepted."""
    end = Connection(Role.SERVER)
    end.receive_data(captured.BIND + captured.REQUEST_EMPTY)
    assert isinstance(end.next_event(), Bind)
    assert said(breach(end)) == Fault(1, 0, NCA_PROTO_ERROR, False)


@pytest.mark.parametrize("contexts", [(), (Context(0, RESOLVER, ()),)])
def test_a_proposal_of_nothing(contexts: tuple[Context, ...]) -> None:
    """In a bind it is refused by a bind_nak, in an alter_context by a fault that vouches."""
    assert said(breach(Connection(Role.SERVER), encoded(contexts, False))) == BindNak(5, 0)
    assert said(breach(server(), encoded(contexts, True))) == Fault(5, 0, NCA_PROTO_ERROR, True)


def test_another_interface_for_a_context_that_stands() -> None:
    """What was agreed on is not changed."""
    data = encoded((Context(2, DEMONSTRATION, (NDR,)),), True)
    assert said(breach(server(), data)) == Fault(5, 0, NCA_PROTO_ERROR, True)


@pytest.mark.parametrize("alter", [False, True])
def test_too_many_contexts(alter: bool) -> None:
    """A bind_nak says that a limit was reached, for an alter_context too."""
    end = Connection(Role.SERVER, max_contexts=2)
    if alter:
        end.receive_data(captured.BIND)
        proposal = end.next_event()
        assert isinstance(proposal, Bind)
        end.send(acknowledgement(proposal))
    contexts = tuple(Context(n, RESOLVER, (NDR,)) for n in range(100, 103))
    assert said(breach(end, encoded(contexts, alter))) == BindNak(5, 2)


@pytest.mark.parametrize("length", [49, 0xFFFF])
def test_authentication_that_does_not_fit(length: int) -> None:
    """Windows calls that another version of the protocol."""
    data = patched(captured.BIND, 10, length.to_bytes(2, "little"))
    assert said(breach(Connection(Role.SERVER), data)) == BindNak(1, 4)


@pytest.mark.parametrize("at, value", [(0, 4), (1, 1)])
def test_another_version_of_the_protocol(at: int, value: int) -> None:
    """A bind is told ours; of a header that is none of ours nothing else can be trusted."""
    data = patched(captured.BIND, at, bytes([value]))
    assert said(breach(Connection(Role.SERVER), data[:16])) == BindNak(1, 4)
    assert breach(server(), patched(captured.REQUEST_EMPTY, at, bytes([value]))).answer is None


@pytest.mark.parametrize(
    "data, call_id",
    [
        (b"GET / HTTP/1.1\r\n\r\n", 0x2E310D0A),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + bytes(20), 0),
        (bytes(16), 0),
        (b"\0\x1e\0\6\1\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3", 0x776),
    ],
    ids=["http", "tls", "zeroes", "dns"],
)
def test_another_protocol(data: bytes, call_id: int) -> None:
    """A Windows server's bind_nak, by which nmap knows it; in its middle nothing is answered."""
    error = breach(Connection(Role.SERVER), data)
    assert said(error) == BindNak(call_id, 4)
    assert breach(server(), data).answer is None


def test_a_fragment_shorter_than_its_header() -> None:
    """It could never be passed over, and is answered as other broken ones are."""
    assert said(breach(Connection(Role.SERVER), patched(captured.BIND, 8, b"\x0f\0"))) == BindNak(
        1, 0
    )
    data = patched(captured.CANCEL, 8, b"\0\0")
    assert said(breach(server(), data)) == Fault(2, 0, NCA_PROTO_ERROR, False)


@pytest.mark.parametrize("ptype", [1, 4, 10, 20, 255])
def test_a_type_that_there_is_not(ptype: int) -> None:
    """Datagram PDUs and unknown ones have no place here."""
    data = patched(captured.CANCEL, 2, bytes([ptype]))
    assert said(breach(server(), data)) == Fault(2, 0, NCA_PROTO_ERROR, False)


def test_a_signed_request() -> None:
    """Authentication that was not agreed on is denied, with the call's own context."""
    data = patched(captured.REQUEST_SIGNED, 20, b"\x02\0")
    error = breach(server(), data)
    assert error.status == ERROR_ACCESS_DENIED
    assert said(error) == Fault(2, 2, ERROR_ACCESS_DENIED, False)


def test_a_body_that_ends_early() -> None:
    """A request without room for its own fields is a protocol error."""
    data = patched(captured.REQUEST_EMPTY, 8, b"\x10\0")[:16]
    assert said(breach(server(), data)) == Fault(1, 0, NCA_PROTO_ERROR, False)


def test_an_auth3_that_nobody_needs() -> None:
    """Without authentication in the bind it is a protocol error."""
    assert said(breach(server(), captured.AUTH3)).call_id == 1


@pytest.mark.parametrize(
    "data",
    [
        captured.RESPONSE,
        captured.FAULT,
        captured.BIND_ACK,
        captured.BIND_NAK,
        captured.BIND,
        captured.REQUEST_EMPTY,
        captured.CANCEL,
        bytes(16),
    ],
)
def test_a_client_answers_nothing(data: bytes) -> None:
    """A client that a server breaks the protocol with just closes."""
    error = breach(client(Request(9, 0, 0, b"")), data)
    assert (error.status, error.answer) == (None, None)


def test_an_answer_to_another_bind() -> None:
    """A bind_ack belongs to the bind whose id it has."""
    end = Connection(Role.CLIENT)
    end.send(bind(RESOLVER, call_id=2))
    breach(end, captured.BIND_ACK)


def test_nothing_is_said_after_a_bind_nak() -> None:
    """The connection is over: what still comes is not answered."""
    end = Connection(Role.SERVER)
    end.receive_data(captured.BIND)
    end.next_event()
    end.send(BindNak(1, 8))
    assert breach(end, captured.AUTH3).answer is None
