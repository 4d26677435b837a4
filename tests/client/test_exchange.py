"""One request and its answer, over a real pair of sockets."""

import socket
from collections.abc import Iterator

import pytest

from vaultstorm_client.attempt import Attempt
from vaultstorm_client.exchange import EarlyEnd, Exchange, Step
from vaultstorm_client.response import Malformed, Response
from vaultstorm_client.stream import PlainStream
from vaultstorm_wire.outcome import Phase

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LARGE = bytes(range(251)) * (1 << 15)
"""No piece of it is like the next one."""

Pair = tuple[socket.socket, PlainStream]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Give the server's end, and the client's as a stream."""
    server, client = socket.socketpair()
    client.setblocking(False)
    with server, client:
        yield server, PlainStream(client)


def begun(stream: PlainStream, request: bytes = b"GET") -> tuple[Exchange, Attempt]:
    """Give an exchange whose request has not been sent."""
    attempt = Attempt("id", 0.0, 0.0)
    attempt.phase = Phase.SEND
    return Exchange(stream, attempt, request, Response()), attempt


def test_a_request_and_its_answer(pair: Pair) -> None:
    """Sent, waited for, received: each in its phase, and every byte counted."""
    server, stream = pair
    exchange, attempt = begun(stream)
    assert exchange.send() is Step.WAITING
    assert attempt.phase.value == "wait"
    assert exchange.receive() is Step.WAITING
    server.sendall(ANSWER[:9])
    assert exchange.receive() is Step.WAITING
    assert attempt.phase.value == "receive"
    server.sendall(ANSWER[9:])
    assert exchange.receive() is Step.ANSWERED
    assert (exchange.status, exchange.keep_alive, exchange.stands()) == (200, True, True)
    assert (attempt.sent, attempt.received) == (3, len(ANSWER))


def test_a_request_that_finds_no_room_is_sent_piece_by_piece(pair: Pair) -> None:
    """It stays in its sending phase until the last byte has left, and arrives as it was."""
    server, stream = pair
    exchange, attempt = begun(stream, LARGE)
    read = bytearray()
    while exchange.send() is Step.SENDING:
        assert attempt.phase is Phase.SEND
        assert exchange.receive() is Step.SENDING
        read += server.recv(1 << 20)
    assert attempt.phase is Phase.WAIT
    assert attempt.sent == len(LARGE)
    while len(read) < len(LARGE):
        read += server.recv(1 << 20)
    assert read == LARGE


def test_an_answer_before_the_request_is_whole_ends_the_connection(pair: Pair) -> None:
    """It is an answer; but what has not been sent forbids another request behind it."""
    server, stream = pair
    exchange, _ = begun(stream, LARGE)
    assert exchange.send() is Step.SENDING
    server.sendall(ANSWER)
    assert exchange.receive() is Step.ANSWERED
    assert not exchange.keep_alive


def test_an_answer_is_found_behind_a_broken_pipe(pair: Pair) -> None:
    """A server may answer, and close, without having read the request."""
    server, stream = pair
    exchange, _ = begun(stream, LARGE)
    server.sendall(ANSWER)
    server.shutdown(socket.SHUT_RD)
    assert exchange.send() is Step.ANSWERED


def test_a_broken_pipe_without_an_answer_is_the_error(pair: Pair) -> None:
    """Nothing came before the end, so the end is all there is to tell."""
    server, stream = pair
    server.close()
    exchange, _ = begun(stream)
    with pytest.raises(BrokenPipeError):
        exchange.send()


@pytest.mark.parametrize("sent", [b"", ANSWER[:10], ANSWER[:-1]], ids=["nothing", "head", "body"])
def test_a_fin_before_the_end_is_early(pair: Pair, sent: bytes) -> None:
    """Wherever the answer was cut."""
    server, stream = pair
    exchange, _ = begun(stream)
    exchange.send()
    server.sendall(sent)
    if sent:
        assert exchange.receive() is Step.WAITING
    server.shutdown(socket.SHUT_WR)
    with pytest.raises(EarlyEnd):
        exchange.receive()


def test_a_fin_is_the_end_of_an_answer_without_a_length(pair: Pair) -> None:
    """RFC 9112, 6.3: it lasts until the connection is closed."""
    server, stream = pair
    exchange, _ = begun(stream)
    exchange.send()
    server.sendall(b"HTTP/1.0 200 OK\r\n\r\nx")
    assert exchange.receive() is Step.WAITING
    server.shutdown(socket.SHUT_WR)
    assert exchange.receive() is Step.ANSWERED
    assert not exchange.keep_alive


def test_what_was_not_asked_for_is_malformed(pair: Pair) -> None:
    """Bytes behind the answer belong to no request."""
    server, stream = pair
    exchange, _ = begun(stream)
    exchange.send()
    server.sendall(ANSWER + b"more")
    with pytest.raises(Malformed, match="4 bytes after"):
        exchange.receive()
