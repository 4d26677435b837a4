"""What a connection does with what clients send, well or badly."""

import socket
import struct
from pathlib import Path
from uuid import UUID

import pytest

from tests.server.rpcss.dcom import activate, caller, executed, this, work
from tests.server.rpcss.serving import (
    ALTER,
    ALTER_RESP,
    BIND_ACK,
    BIND_NAK,
    CANCEL,
    DEMONSTRATION,
    DID_NOT_EXECUTE,
    FIRST,
    LAST,
    OBJECT_EXPORTER,
    ORPHANED,
    RESPONSE,
    SCM,
    UNKNOWN,
    Client,
    group,
    results,
    rpc,
    serving,
)
from vaultstorm_server.rpcss.connection import CALLS_MAX
from vaultstorm_wire.dcerpc.demonstration import WORK, WorkIn
from vaultstorm_wire.dcerpc.object_exporter import SERVER_ALIVE, SERVER_ALIVE2
from vaultstorm_wire.journal import Execution, Request

NTLM = b"\x0aNTLMSSP\0"
PROTO_ERROR = 0x1C01000B
LONG = 3600.0


def test_a_bind_is_acknowledged(tmp_path: Path) -> None:
    """With a new group, the port as secondary address, and the smaller of the two sizes."""
    with serving(tmp_path) as served, Client(served.port) as client:
        ack = client.bind(OBJECT_EXPORTER, sizes=(4280, 4280))
        assert (ack.ptype, results(ack)) == (BIND_ACK, [(0, 0)])
        assert struct.unpack_from("<HH", ack.body) == (4280, 4280)
        assert group(ack) != 0
        assert f"{served.port}\0".encode() in ack.body


def test_a_group_is_joined_by_its_number(tmp_path: Path) -> None:
    """An unknown one is refused; it ends with its last connection."""
    with serving(tmp_path) as served, Client(served.port) as second:
        with Client(served.port) as first:
            number = group(first.bind(OBJECT_EXPORTER))
            assert group(second.bind(OBJECT_EXPORTER, group=number)) == number
        second.close()
        served.until(lambda: served.rpcss.statistics().connections == 0)
        with Client(served.port) as late:
            nak = late.bind(OBJECT_EXPORTER, group=number)
            assert (nak.ptype, struct.unpack_from("<H", nak.body)) == (BIND_NAK, (0,))


def test_whoever_insists_on_authentication_is_refused(tmp_path: Path) -> None:
    """bind_nak 8, then FIN: the type is not recognised (MS-RPCE 3.3.3.5)."""
    with serving(tmp_path) as served, Client(served.port) as client:
        nak = client.bind(OBJECT_EXPORTER, auth=NTLM)
        assert (nak.ptype, struct.unpack_from("<H", nak.body)) == (BIND_NAK, (8,))
        assert client.rest() == b""


def test_an_alter_context_changes_no_sizes(tmp_path: Path) -> None:
    """Whatever it says, the answer repeats the sizes and the group of the bind."""
    with serving(tmp_path) as served, Client(served.port) as client:
        ack = client.bind(OBJECT_EXPORTER, sizes=(4280, 3000))
        answer = client.bind(SCM, ptype=ALTER, first_id=1, sizes=(1432, 0xFFFF), group=99)
        assert struct.unpack_from("<HHI", answer.body) == (3000, 3000, group(ack))


def test_an_interface_is_added_by_alter_context(tmp_path: Path) -> None:
    """Calls go by either context; an unknown interface is rejected, and harms nothing."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(OBJECT_EXPORTER)
        answer = client.bind(SCM, ptype=ALTER, first_id=1)
        assert (answer.ptype, results(answer)) == (ALTER_RESP, [(0, 0)])
        assert results(client.bind(UNKNOWN, ptype=ALTER, first_id=2)) == [(2, 1)]
        assert client.call(SERVER_ALIVE, context=0).stub == bytes(4)
        assert client.call(0, context=1).status == 0x1C010002
        # nca_unk_if with no context, not executed, and the connection goes on.
        fault = client.call(SERVER_ALIVE, context=2)
        assert (fault.status, fault.flags) == (0x1C010003, FIRST | LAST | DID_NOT_EXECUTE)
        assert struct.unpack_from("<H", fault.body, 4) == (0,)
        assert client.call(SERVER_ALIVE, context=0).stub == bytes(4)
        unknown = served.records(Request)[2]
        assert (unknown.target, unknown.method) == ("", "opnum 3")


def test_authentication_cannot_be_added_later(tmp_path: Path) -> None:
    """An alter_context that asks for it gets access denied, as from Windows, and a FIN."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(OBJECT_EXPORTER)
        fault = client.bind(SCM, ptype=ALTER, first_id=1, auth=NTLM)
        assert (fault.status, fault.flags) == (5, FIRST | LAST | DID_NOT_EXECUTE)
        assert client.rest() == b""
        assert served.records(Request) == []


@pytest.mark.parametrize("pieces", [1, 2, 3, 32])
def test_a_request_may_come_in_fragments(tmp_path: Path, pieces: int) -> None:
    """All of them together are one call."""
    with serving(tmp_path) as served:
        made = activate(served)
        stub = WorkIn(this()).encode()
        size = -(-len(stub) // pieces)
        with caller(made) as client:
            for at in range(0, len(stub), size):
                flags = (FIRST if at == 0 else 0) | (LAST if at + size >= len(stub) else 0)
                client.request(WORK, stub[at : at + size], object=made.ipid, flags=flags, call_id=7)
            answer = client.receive()
            assert (answer.call_id, executed(answer)) == (7, 1)


def test_a_big_endian_client_is_understood(tmp_path: Path) -> None:
    """PDUs, guids and stubs come in its byte order, and are answered in ours."""
    cid = UUID("01234567-89ab-cdef-0123-456789abcdef")
    with serving(tmp_path) as served:
        made = activate(served)
        with Client(made.port, little=False) as client:
            assert results(client.bind(DEMONSTRATION)) == [(0, 0)]
            stub = struct.pack(">HHII16sI", 5, 7, 0, 0, cid.bytes, 0)
            assert executed(client.call(WORK, stub, object=made.ipid)) == 1
        assert served.records(Execution)[-1].id == str(cid)


def test_an_orphaned_call_ends_the_connection(tmp_path: Path) -> None:
    """As a Server 2003 does it; its method runs on, and nobody hears of it."""
    with serving(tmp_path, rpc(CallTime=LONG)) as served:
        made = activate(served)
        with caller(made) as client:
            call_id = client.request(WORK, WorkIn(this()).encode(), object=made.ipid)
            client.send(ORPHANED, b"", call_id=call_id)
            assert client.rest() == b""
        assert served.do(served.rpcss.statistics).calls_in_progress == 1


def test_a_cancel_changes_nothing(tmp_path: Path) -> None:
    """The method does not look at it, and its answer comes when it comes."""
    with serving(tmp_path, rpc(CallTime=0.01)) as served:
        made = activate(served)
        with caller(made) as client:
            call_id = client.request(WORK, WorkIn(this()).encode(), object=made.ipid)
            client.send(CANCEL, b"", call_id=call_id)
            client.send(CANCEL, b"", call_id=call_id + 5)
            assert executed(client.receive()) == 1


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x05\x00\x63\x03" + bytes(40)]
)
def test_what_is_no_rpc_ends_the_connection(tmp_path: Path, garbage: bytes) -> None:
    """Without a RST that would take the answer away, and others are served as before."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.sock.sendall(garbage)
        client.rest()
        with Client(served.port) as other:
            other.bind(OBJECT_EXPORTER)
            assert other.call(SERVER_ALIVE).stub == bytes(4)


def test_a_request_before_the_bind_is_a_protocol_error(tmp_path: Path) -> None:
    """It is told so, and then the connection ends."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.request(SERVER_ALIVE)
        assert client.receive().status == PROTO_ERROR
        assert client.rest() == b""


def test_answers_before_the_error_are_not_lost(tmp_path: Path) -> None:
    """What stood in the same packet before it was served."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(OBJECT_EXPORTER)
        pdus = [struct.pack("<4BIHHIIHH", 5, 0, 0, 3, 0x10, 24, 0, n, 0, 0, 3) for n in (5, 6)]
        client.sock.sendall(b"".join(pdus) + b"\x04" * 24)
        assert [client.receive().call_id for _ in pdus] == [5, 6]
        client.rest()


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_goes_away_leaves_its_call_to_run(tmp_path: Path, reset: bool) -> None:
    """It is executed, and its record says that the connection was lost before the answer."""
    with serving(tmp_path, rpc(CallTime=0.05)) as served:
        made = activate(served)
        client = caller(made)
        client.request(WORK, WorkIn(this()).encode(), object=made.ipid)
        served.until(lambda: served.rpcss.statistics().calls_in_progress == 1)
        if reset:
            client.reset()
        else:
            client.close()
        served.until(lambda: served.rpcss.statistics().calls_executed == 1)
        served.do(served.journal.flush)
        (request,) = [r for r in served.records(Request) if r.method == "Work"]
        assert (request.cause, request.status, request.answered) == ("connection_lost", None, None)
        assert request.dispatched is not None
        (execution,) = [e for e in served.records(Execution) if e.method == "Work"]
        assert execution.id == request.id


def test_a_client_that_sends_and_leaves_is_served(tmp_path: Path) -> None:
    """What is answered at once reaches one that has shut down its side only."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(OBJECT_EXPORTER)
        client.request(SERVER_ALIVE)
        client.sock.shutdown(socket.SHUT_WR)
        assert client.receive().stub == bytes(4)
        assert client.rest() == b""


def test_a_connection_has_so_many_calls_at_once(tmp_path: Path) -> None:
    """What is beyond them waits unread, and is served when they have ended."""
    more = CALLS_MAX + 20
    with serving(tmp_path, rpc(CallTime=LONG)) as served:
        made = activate(served)
        with caller(made) as client:
            for _ in range(more):
                client.request(WORK, WorkIn(this()).encode(), object=made.ipid)
            served.until(lambda: served.rpcss.statistics().calls_in_progress == CALLS_MAX)
            (exporter,) = served.do(lambda: list(served.rpcss._exporters))
            first = served.do(lambda: list(exporter.endpoint._pending))
            for each in first:
                served.do(lambda each=each: exporter.endpoint._finish(each))  # type: ignore[misc]
            assert sorted(executed(client.receive()) for _ in first) == list(
                range(1, CALLS_MAX + 1)
            )
            served.until(lambda: served.rpcss.statistics().calls_in_progress == 20)


def test_a_client_that_does_not_read_is_not_served(tmp_path: Path) -> None:
    """Its answers wait, up to a bound; once it reads, it gets all of them in order."""
    head = struct.Struct("<4BIHHIIHH")
    with serving(tmp_path) as served, Client(served.port, window=4096) as client:
        client.bind(OBJECT_EXPORTER)
        endpoint = served.rpcss._endpoint

        def held() -> bool:
            return any(connection._held for connection in endpoint.connections)

        sent = 0
        while not served.do(held):
            pdus = range(sent, sent + 500)
            client.sock.sendall(
                b"".join(
                    head.pack(5, 0, 0, 3, 0x10, 24, 0, n + 10, 0, 0, SERVER_ALIVE2) for n in pdus
                )
            )
            sent += len(pdus)
            served.until(lambda s=sent: endpoint.calls_in == s or held())  # type: ignore[misc]
        assert endpoint.calls_in < 100_000
        answered = [client.receive() for _ in range(sent)]
        assert [answer.call_id for answer in answered] == list(range(10, 10 + sent))
        assert {answer.ptype for answer in answered} == {RESPONSE}


def test_calls_of_several_objects_share_a_connection(tmp_path: Path) -> None:
    """The IPID decides, not the connection."""
    with serving(tmp_path) as served:
        first, second = activate(served), activate(served)
        with caller(first) as client:
            assert executed(work(client, first.ipid)) == 1
            assert executed(work(client, second.ipid)) == 2


def test_a_connection_shows_who_it_is(tmp_path: Path) -> None:
    """The representation tells number, peer and state."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(OBJECT_EXPORTER)
        (connection,) = served.do(lambda: list(served.rpcss._endpoint.connections))
        peer = f"127.0.0.1:{client.sock.getsockname()[1]}"
        assert repr(connection) == f"<Connection {connection.number} of {peer}, OPEN>"
        assert connection.peer == peer
