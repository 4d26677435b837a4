"""One bind or call on a connection, ended under it in every way."""

import select
import socket
from collections.abc import Iterator

import pytest

from tests.client.rpc.fake_rpc import ACCEPTED
from vaultstorm_client.attempt import Attempt
from vaultstorm_client.exchange import EarlyEnd, Step
from vaultstorm_client.response import Malformed
from vaultstorm_client.rpc.exchange import RpcExchange
from vaultstorm_client.stream import PlainStream
from vaultstorm_wire.dcerpc.connection import Connection, Role
from vaultstorm_wire.dcerpc.events import (
    Bind,
    BindAck,
    Context,
    Event,
    Fault,
    Request,
    Response,
    Shutdown,
)
from vaultstorm_wire.dcerpc.syntax import NDR
from vaultstorm_wire.outcome import Phase

LARGE = 8 << 20
"""More than the socket buffers of both sides take."""


class Pair:
    """A client and a server on one TCP connection, which are bound to each other."""

    def __init__(self, listener: socket.socket) -> None:
        self.near = socket.create_connection(listener.getsockname())
        self.near.setblocking(False)
        self.far, _ = listener.accept()
        self.client, self.server = Connection(Role.CLIENT), Connection(Role.SERVER)
        self.server.receive_data(self.client.send(Bind(1, (Context(0, NDR, (NDR,)),))))
        assert isinstance(self.server.next_event(), Bind)
        ack = BindAck(1, (ACCEPTED,), 1, 5840, 5840)
        self.client.receive_data(self.server.send(ack))
        assert isinstance(self.client.next_event(), BindAck)
        self.attempt = Attempt("a", 0.0, 0.0)
        self.attempt.phase = Phase.SEND

    def exchange(self, size: int = 10) -> RpcExchange:
        """Begin a call."""
        data = self.client.send(Request(2, 0, 0, bytes(size)))
        return RpcExchange(PlainStream(self.near), self.attempt, self.client, data)

    def asked(self) -> None:
        """Have the server read a call."""
        while not isinstance(self.server.next_event(), Request):
            self.server.receive_data(self.far.recv(1 << 20))

    def say(self, *events: Event) -> None:
        """Have the server send something, and wait until it has come."""
        self.far.sendall(b"".join(self.server.send(event) for event in events))
        self.come()

    def come(self) -> None:
        """Wait until the client has something to read."""
        assert select.select([self.near], [], [], 20)[0]

    def reset(self) -> None:
        """Have the server send a RST."""
        self.far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.far.close()
        self.come()


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Give a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Pair(listener)
        yield made
        made.near.close()
        made.far.close()


def test_a_call(pair: Pair) -> None:
    """It is sent, waits, and is answered; phases and bytes are counted."""
    exchange, attempt = pair.exchange(), pair.attempt
    assert exchange.receive() is Step.SENDING
    assert exchange.send() is Step.WAITING
    assert attempt.phase is Phase.WAIT
    assert exchange.receive() is Step.WAITING
    pair.asked()
    pair.say(Response(2, 0, b"answer"))
    assert exchange.receive() is Step.ANSWERED
    assert exchange.answer == Response(2, 0, b"answer")
    assert (attempt.phase, attempt.sent, attempt.received) == (Phase.RECEIVE, 34, 30)
    assert exchange.reusable


def test_nothing_of_a_bind_is_counted(pair: Pair) -> None:
    """A bind is in its own phase from end to end."""
    pair.attempt.phase = Phase.BIND
    wire = Connection(Role.CLIENT)
    data = wire.send(Bind(1, (Context(0, NDR, (NDR,)),)))
    exchange = RpcExchange(PlainStream(pair.near), pair.attempt, wire, data)
    assert exchange.send() is Step.WAITING
    server = Connection(Role.SERVER)
    server.receive_data(pair.far.recv(1000))
    assert isinstance(server.next_event(), Bind)
    pair.far.sendall(server.send(BindAck(1, (ACCEPTED,), 1, 5840, 5840)))
    pair.come()
    assert exchange.receive() is Step.ANSWERED
    assert isinstance(exchange.answer, BindAck)
    assert pair.attempt.phase is Phase.BIND
    assert (pair.attempt.sent, pair.attempt.received) == (0, 0)


def test_half_of_an_answer(pair: Pair) -> None:
    """What is not whole yet is waited for; a FIN behind it comes too early."""
    exchange = pair.exchange()
    exchange.send()
    pair.asked()
    pair.far.sendall(pair.server.send(Response(2, 0, b"answer"))[:-1])
    pair.come()
    assert exchange.receive() is Step.WAITING
    assert pair.attempt.phase is Phase.RECEIVE
    pair.far.shutdown(socket.SHUT_WR)
    pair.come()
    with pytest.raises(EarlyEnd):
        exchange.receive()


def test_reset(pair: Pair) -> None:
    """A RST is what the kernel calls it, before the call is sent and after."""
    exchange = pair.exchange()
    pair.reset()
    with pytest.raises(ConnectionResetError):
        exchange.send()
    assert pair.attempt.phase is Phase.SEND


def test_reset_while_waiting(pair: Pair) -> None:
    """Likewise behind a call that was sent."""
    exchange = pair.exchange()
    exchange.send()
    pair.asked()
    pair.reset()
    with pytest.raises(ConnectionResetError):
        exchange.receive()
    assert pair.attempt.phase is Phase.WAIT


def test_answered_before_it_was_sent(pair: Pair) -> None:
    """An answer that came before the connection was ended under the call is the answer."""
    exchange = pair.exchange(LARGE)
    assert exchange.send() is Step.SENDING
    pair.far.sendall(fault_for(2))
    pair.reset()
    assert exchange.send() is Step.ANSWERED
    assert exchange.answer == Fault(2, 0, 5, True)
    assert not exchange.reusable


def fault_for(call_id: int) -> bytes:
    """Give the bytes of a fault from a server that has read a call of that number."""
    client, server = Connection(Role.CLIENT), Connection(Role.SERVER)
    server.receive_data(client.send(Bind(1, (Context(0, NDR, (NDR,)),))))
    server.next_event()
    client.receive_data(server.send(BindAck(1, (ACCEPTED,), 1, 5840, 5840)))
    client.next_event()
    server.receive_data(client.send(Request(call_id, 0, 0, b"")))
    server.next_event()
    return server.send(Fault(call_id, 0, 5, True))


def test_a_server_that_is_about_to_go(pair: Pair) -> None:
    """It answers what is out, and the connection carries nothing more."""
    exchange = pair.exchange()
    exchange.send()
    pair.asked()
    pair.say(Shutdown())
    assert exchange.receive() is Step.WAITING
    pair.say(Response(2, 0, b""))
    assert exchange.receive() is Step.ANSWERED
    assert not exchange.reusable


@pytest.mark.parametrize("twice", [False, True])
def test_no_answer(pair: Pair, twice: bool) -> None:
    """What is not DCE/RPC, or answers once more, is malformed."""
    exchange = pair.exchange()
    exchange.send()
    pair.asked()
    answer = pair.server.send(Response(2, 0, b""))
    pair.far.sendall(answer * 2 if twice else b"HTTP/1.1 200 OK\r\n\r\n")
    pair.come()
    with pytest.raises(Malformed):
        exchange.receive()
