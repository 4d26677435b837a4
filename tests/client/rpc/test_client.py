"""A client against a small DCOM server: its rounds, its two connections, and who may name where."""

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.client.harness import HOST, fire
from tests.client.rpc.fake_rpc import ACCEPTED, IPID, FakeRpc, Rpc, fire_at
from vaultstorm_client.tally import Counts
from vaultstorm_wire.dcerpc import hresult
from vaultstorm_wire.dcerpc.demonstration import WORK, WorkOut
from vaultstorm_wire.dcerpc.events import BindAck, Fault, Response, Shutdown
from vaultstorm_wire.dcerpc.objref import StringBinding
from vaultstorm_wire.dcerpc.orpc import OrpcThat
from vaultstorm_wire.dcerpc.scm_activator import RemoteCreateInstanceOut
from vaultstorm_wire.dcerpc.status import NCA_PROTO_ERROR, NCA_SERVER_TOO_BUSY


@pytest.mark.parametrize("clients, requests, calls", [(1, 1, 1), (3, 1, 0), (2, 3, 2)])
def test_a_good_server(tmp_path: Path, clients: int, requests: int, calls: int) -> None:
    """Each client makes its rounds, on one connection to either port."""
    with FakeRpc() as server:
        fired = fire_at(server, tmp_path, clients=clients, requests=requests, calls=calls)
        assert server.resolver.connections == clients
        assert server.exporter.connections == (clients if calls else 0)
    rounds = clients * requests
    assert fired.outcomes == {"ok": rounds * (1 + calls)}
    assert server.executed == rounds * calls
    assert fired.result["rpc"]["call"]["ok"] == rounds * calls
    assert fired.result["rpc_errors"] == {}
    bound = [record for record in fired.records if record.bind is not None]
    assert {record.nth for record in bound} == {0}
    assert len(bound) == server.resolver.connections + server.exporter.connections


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_no_keep_alive(tmp_path: Path, calls: int) -> None:
    """Without keep-alive every round has connections of its own."""
    with FakeRpc() as server:
        fired = fire_at(server, tmp_path, clients=2, requests=3, calls=calls, keep_alive=False)
        assert server.resolver.connections == 6
        assert server.exporter.connections == (6 if calls else 0)
    assert fired.outcomes == {"ok": 6 * (1 + calls)}
    assert fired.result["reused"]["attempts"] == 6 * max(calls - 1, 0)


def test_counts_of_bytes(tmp_path: Path) -> None:
    """What is sent and received is the call and its answer, without the bind."""
    sizes: list[int] = []

    def behave(rpc: Rpc) -> None:
        rpc.bind()
        while (request := rpc.request()) is not None:
            answer = rpc.answer(request)
            sizes.append(len(answer))
            rpc.peer.say(answer)

    with FakeRpc(resolver=behave) as server:
        fired = fire_at(server, tmp_path, calls=0)
    assert fired.only.received == sizes[0]
    assert fired.only.sent > 100
    assert fired.only.connection == "0.1"


def test_an_answer_byte_by_byte(tmp_path: Path) -> None:
    """Neither a bind_ack nor an answer has to come in one piece."""

    def behave(rpc: Rpc) -> None:
        said: list[bytes] = []
        trickle = rpc.peer.say
        rpc.peer.say = said.append  # type: ignore[method-assign,assignment]
        rpc.bind()
        while said:
            for byte in said.pop():
                trickle(bytes([byte]))
            request = rpc.request()
            if request is not None:
                said.append(rpc.answer(request))

    with FakeRpc(behave, behave) as server:
        fired = fire_at(server, tmp_path, clients=2, requests=2)
    assert fired.outcomes == {"ok": 8}


def test_a_lost_call_is_followed_by_the_next(tmp_path: Path) -> None:
    """The calls of a round are made whatever becomes of those before; none is made twice."""

    def behave(rpc: Rpc) -> None:
        if rpc.peer.number:
            rpc.serve()
            return
        rpc.bind()
        assert rpc.request() is not None
        rpc.peer.reset()

    with FakeRpc(exporter=behave) as server:
        fired = fire_at(server, tmp_path, calls=3)
        assert server.exporter.connections == 2
        assert server.executed == 2
    assert fired.outcomes == {"ok": 3, "wait.reset": 1}


def test_no_call_without_an_object(tmp_path: Path) -> None:
    """A round whose activation fails has no calls; the next round begins on the same connection."""

    def behave(rpc: Rpc) -> None:
        rpc.fault(NCA_SERVER_TOO_BUSY, True)

    with FakeRpc(resolver=behave) as server:
        fired = fire_at(server, tmp_path, requests=3, calls=5)
        assert server.resolver.connections == 1
        assert server.exporter.connections == 0
    assert fired.outcomes == {"rpc.0x1c010014": 3}
    assert {r.detail for r in fired.records} == {"nca_server_too_busy, did not execute"}
    assert fired.result["lost"] == 0


TWISTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "class": (
        {"hresult": hresult.REGDB_E_CLASSNOTREG},
        "rpc.0x80040154",
        "0x80040154",
    ),
    "interface": (
        {"results": ((hresult.E_NOINTERFACE, None),)},
        "rpc.0x80004002",
        "0x80004002",
    ),
    "memory": ({"hresult": hresult.E_OUTOFMEMORY}, "rpc.0x8007000e", "0x8007000E"),
    "nothing": ({"results": ((0, None),)}, "receive.malformed", "0x800706C0"),
}


@pytest.mark.parametrize("name", TWISTS)
def test_activations_without_an_object(tmp_path: Path, name: str) -> None:
    """An HRESULT that is a failure is an answer; success without an object is none."""
    changes, outcome, code = TWISTS[name]

    def twist(out: RemoteCreateInstanceOut) -> RemoteCreateInstanceOut:
        if "hresult" in changes:
            return out._replace(**changes, bindings=None, iids=(), results=())
        return out._replace(**changes)

    with FakeRpc() as server:
        server.twist = twist
        fired = fire_at(server, tmp_path)
    assert fired.outcomes == {outcome: 1}
    assert fired.result["rpc_errors"] == {code: 1}


def test_a_call_that_fails_on_the_object(tmp_path: Path) -> None:
    """The HRESULT of a method is an answer of the object's."""

    def behave(rpc: Rpc) -> None:
        rpc.bind()
        while (request := rpc.request()) is not None:
            assert (request.opnum, request.object) == (WORK, IPID)
            stub = WorkOut(OrpcThat(), 0, hresult.RPC_E_DISCONNECTED).encode()
            rpc.send(Response(request.call_id, request.context_id, stub))

    with FakeRpc(exporter=behave) as server:
        fired = fire_at(server, tmp_path, calls=2)
        assert server.exporter.connections == 1
    assert fired.outcomes == {"ok": 1, "rpc.0x80010108": 2}


@pytest.mark.parametrize("stub", [b"", b"\xff" * 7, bytes(400)], ids=["empty", "short", "zeros"])
def test_an_answer_that_cannot_be_read(tmp_path: Path, stub: bytes) -> None:
    """A response that is not what the operation gives is malformed."""

    def behave(rpc: Rpc) -> None:
        rpc.bind()
        while (request := rpc.request()) is not None:
            rpc.send(Response(request.call_id, request.context_id, stub))

    with FakeRpc(resolver=behave) as server:
        fired = fire_at(server, tmp_path, requests=2)
    assert fired.outcomes == {"receive.malformed": 2}


@pytest.mark.parametrize("what", ["fault", "shutdown"])
def test_a_connection_of_no_more_use(tmp_path: Path, what: str) -> None:
    """After a protocol error, or where the server asks for it, the connection is left."""

    def behave(rpc: Rpc) -> None:
        rpc.bind()
        request = rpc.request()
        assert request is not None
        if what == "fault":
            rpc.send(Fault(request.call_id, request.context_id, NCA_PROTO_ERROR, False))
        else:
            rpc.peer.say(rpc.answer(request) + rpc.wire.send(Shutdown()))
        rpc.peer.silence()

    with FakeRpc(resolver=behave) as server:
        fired = fire_at(server, tmp_path, requests=3, calls=0)
        assert server.resolver.connections == 3
    assert fired.outcomes == {"rpc.0x1c01000b" if what == "fault" else "ok": 3}


def test_an_answer_to_no_call(tmp_path: Path) -> None:
    """A second answer behind the first is malformed."""

    def behave(rpc: Rpc) -> None:
        rpc.bind()
        request = rpc.request()
        assert request is not None
        rpc.peer.say(rpc.answer(request) * 2)
        rpc.peer.silence()

    with FakeRpc(resolver=behave) as server:
        fired = fire_at(server, tmp_path)
    assert fired.outcomes == {"receive.malformed": 1}


@pytest.mark.parametrize("end", ["finish", "reset", "shutdown"])
def test_ended_while_idle(tmp_path: Path, end: str) -> None:
    """Both connections may end while no call is out on them: no loss, and the next are new ones."""
    idle, ended = threading.Event(), threading.Semaphore(0)

    def behave(rpc: Rpc) -> None:
        rpc.bind()
        request = rpc.request()
        assert request is not None
        rpc.peer.say(rpc.answer(request))
        if rpc.peer.number:
            rpc.peer.silence()
            return
        idle.wait(20)
        if end == "shutdown":
            rpc.send(Shutdown())
        elif end == "reset":
            rpc.peer.reset()
        else:
            rpc.peer.sock.shutdown(socket.SHUT_WR)
        ended.release()
        rpc.peer.silence()

    def end_both(counts: Counts) -> None:
        if counts.ok == 2 and not idle.is_set():
            idle.set()
            ended.acquire()
            ended.acquire()  # on loopback, what was sent has then arrived

    with FakeRpc(behave, behave) as server:
        fired = fire_at(server, tmp_path, requests=2, think=1.0, progress=end_both)
        assert (server.resolver.connections, server.exporter.connections) == (2, 2)
    assert fired.outcomes == {"ok": 4}
    assert fired.result["idle_closed"] == 2


def test_an_application_that_moves(tmp_path: Path) -> None:
    """An activation may name another exporter each time: its connection is the one that is used."""
    with FakeRpc() as other, FakeRpc() as server:
        turn = [other, server, other, server]

        def twist(out: RemoteCreateInstanceOut) -> RemoteCreateInstanceOut:
            there = turn.pop()
            binding = StringBinding(7, f"{HOST}[{there.exporter.port}]")
            assert out.bindings is not None
            return out._replace(bindings=out.bindings._replace(strings=(binding,)))

        server.twist = twist
        fired = fire(server.resolver.port, tmp_path, "rpc", requests=4)
        assert (server.resolver.connections, server.exporter.connections) == (1, 2)
        assert other.exporter.connections == 2
    assert fired.outcomes == {"ok": 8}
    assert len(fired.result["rpc"]["call"]["peers"]) == 2


FAR = (
    StringBinding(7, "8.8.8.8[135]"),
    StringBinding(7, "224.0.0.1[135]"),
    StringBinding(7, "0.0.0.0[135]"),
    StringBinding(15, "\\\\HOST"),
)


def test_bindings_that_lead_elsewhere(tmp_path: Path) -> None:
    """A server cannot aim the burst at somebody else: the call is lost by the client's own rule."""
    with FakeRpc(bindings=FAR) as server:
        fired = fire_at(server, tmp_path, requests=2, calls=2)
        assert server.resolver.connections == 1
    assert fired.outcomes == {"ok": 2, "connect.local": 4}
    lost = [record for record in fired.records if record.operation == "call"]
    assert {record.peer for record in lost} == {"0.0.0.0:0"}
    assert {record.local for record in lost} == {None}
    assert "8.8.8.8[135]" in (lost[0].detail or "")
    assert fired.result["rpc_errors"] == {"0x800706BA": 4}


def test_a_bind_answered_by_something_else(tmp_path: Path) -> None:
    """A bind_ack for another call, or with more results than contexts, is no answer."""

    def behave(rpc: Rpc) -> None:
        rpc.event()
        data = bytearray(rpc.wire.send(BindAck(1, (ACCEPTED,), 1, 5840, 5840, "0")))
        data[12] += 1  # call_id
        rpc.peer.say(bytes(data))
        rpc.peer.silence()

    with FakeRpc(resolver=behave) as server:
        fired = fire_at(server, tmp_path)
    assert fired.outcomes == {"bind.malformed": 1}
