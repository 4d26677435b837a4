"""TLS connections that end or speak at the wrong moment."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.client.harness import fire_at
from tests.support.misbehaving import BYE, OK, Behaviour, Misbehaving, Peer, once
from vaultstorm_client.stream import PlainStream, TlsStream

UNTIL_END = b"HTTP/1.1 200 OK\r\n\r\nbody"


def cut(peer: Peer) -> None:
    """Send a FIN without a close_notify."""
    peer.sock.shutdown(socket.SHUT_WR)
    while peer.sock.recv(65536):
        pass


def hello_then(end: Behaviour) -> Behaviour:
    """Read the ClientHello, then `end`: on a server without TLS."""

    def behave(peer: Peer) -> None:
        peer.sock.recv(65536)
        end(peer)

    return behave


@pytest.mark.parametrize(
    "behave, outcome",
    [
        (hello_then(Peer.reset), "tls.reset"),
        (hello_then(Peer.finish), "tls.closed"),
        (hello_then(Peer.silence), "tls.timeout"),
        (hello_then(lambda peer: peer.say(b"HTTP/1.1 400 Bad\r\n\r\n")), "tls.malformed"),
        (hello_then(lambda peer: peer.say(b"\x15\x03\x03\0\x02\x02\x28")), "tls.rejected"),
    ],
)
def test_handshakes(
    tmp_path: Path, trusting: ssl.SSLContext, behave: Behaviour, outcome: str
) -> None:
    """Each way to fail a handshake has its outcome, and no request is sent."""
    patience = 0.2 if outcome == "tls.timeout" else 10.0
    with Misbehaving(behave) as server:
        fired = fire_at(server, tmp_path, "https", trusting, clients=3, tls_timeout=patience)
    assert fired.outcomes == {outcome: 3}
    assert {record.sent for record in fired.records} == {0}


@pytest.mark.parametrize(
    "behave, outcome",
    [
        (once(b"", Peer.reset), "wait.reset"),
        (once(b""), "wait.closed"),
        (once(b"", cut), "wait.closed"),
        (once(b"", Peer.silence), "wait.timeout"),
        (once(OK[:-1]), "receive.closed"),
        (once(OK[:-1], cut), "receive.closed"),
        (once(OK[:-1], Peer.silence), "receive.timeout"),
        (once(UNTIL_END), "ok"),
        (once(UNTIL_END, cut), "receive.closed"),
        (once(BYE, cut), "ok"),
    ],
)
def test_endings(
    tmp_path: Path,
    served: ssl.SSLContext,
    trusting: ssl.SSLContext,
    behave: Behaviour,
    outcome: str,
) -> None:
    """An answer without a length is complete with a close_notify only (RFC 9112, 9.8)."""
    patience = 0.5 if outcome.endswith("timeout") else 10.0
    with Misbehaving(behave, served) as server:
        fired = fire_at(server, tmp_path, "https", trusting, clients=2, response_timeout=patience)
    assert fired.outcomes == {outcome: 2}


def test_not_tls_after_all(
    tmp_path: Path, served: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """A server that falls out of TLS is malformed, not a rejection."""

    def behave(peer: Peer) -> None:
        peer.request()
        with socket.socket(fileno=peer.sock.detach()) as bare:
            bare.sendall(OK)
            bare.recv(65536)

    with Misbehaving(behave, served) as server:
        assert fire_at(server, tmp_path, "https", trusting).outcomes == {"wait.malformed": 1}


def secured(peer: Peer, authority: trustme.CA, version: ssl.TLSVersion, *says: bytes) -> None:
    """Serve TLS such that the last flight of the handshake and `says` leave in one piece.

    With more than one of them, the first comes with the handshake and the rest with the answer.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = version
    authority.issue_cert("127.0.0.1").configure_cert(context)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    stream = context.wrap_bio(incoming, outgoing, server_side=True)
    while True:
        try:
            stream.do_handshake()
            break
        except ssl.SSLWantReadError:
            peer.say(outgoing.read())
            incoming.write(peer.sock.recv(65536))
    early, *late = says
    if early:
        stream.write(early)
    peer.say(outgoing.read())
    if late:
        while True:
            try:
                stream.read(65536)
                break
            except ssl.SSLWantReadError:
                incoming.write(peer.sock.recv(65536))
        for piece in late:
            if piece == ALERT:
                peer.say(outgoing.read())
                incoming.write(peer.sock.recv(65536))
                incoming.write(b"\x17\x03\x03\0\x20" + bytes(32))  # no record of this connection
                with contextlib.suppress(ssl.SSLError):
                    while True:
                        stream.read(65536)
            elif piece:
                stream.write(piece)
            else:
                with contextlib.suppress(ssl.SSLWantReadError):
                    stream.unwrap()
        peer.say(outgoing.read())
    peer.silence()


ALERT = b"an alert instead of the second answer"
RECORD = 1 << 14
"""The most that one carries (RFC 8446, 5.1; RFC 5246, 6.2.1)."""
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_that_speaks_first(
    tmp_path: Path, authority: trustme.CA, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    """An answer that came with the end of the handshake is not left lying."""
    with Misbehaving(lambda peer: secured(peer, authority, version, BYE)) as server:
        fired = fire_at(server, tmp_path, "https", trusting, response_timeout=5.0)
    assert fired.outcomes == {"ok": 1}


@pytest.mark.parametrize("version", VERSIONS)
def test_two_answers_in_one_piece(
    tmp_path: Path, authority: trustme.CA, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    """What follows an answer in records of its own is too much of it, not the next answer."""
    with Misbehaving(lambda peer: secured(peer, authority, version, b"", OK, OK)) as server:
        fired = fire_at(server, tmp_path, "https", trusting, requests=2)
        assert server.connections == 2
    assert fired.outcomes == {"receive.malformed": 2}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_end_behind_the_answer(
    tmp_path: Path, authority: trustme.CA, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    """A close_notify in one piece with the answer is seen before the next request is sent."""
    with Misbehaving(lambda peer: secured(peer, authority, version, b"", OK, b"")) as server:
        fired = fire_at(server, tmp_path, "https", trusting, requests=2)
        assert server.connections == 2
    assert fired.outcomes == {"ok": 2}
    assert fired.result["idle_closed"] == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_an_alert_on_a_reused_connection(
    tmp_path: Path, authority: trustme.CA, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    """An alert after a request was answered is an end, not a judgement of the handshake."""
    with Misbehaving(lambda peer: secured(peer, authority, version, b"", OK, ALERT)) as server:
        fired = fire_at(server, tmp_path, "https", trusting, requests=2)
        assert server.connections == 1
    assert fired.outcomes == {"ok": 1, "wait.closed": 1}
    assert "ALERT" in (fired.records[1].detail or "")


def test_a_plain_stream_has_no_room() -> None:
    """A full socket takes 0 bytes, an empty one gives None, and an ended one gives no bytes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        stream = PlainStream(ours)
        assert stream.receive() is None
        while stream.send(memoryview(bytes(65536))):
            pass
        assert stream.flush()
        theirs.shutdown(socket.SHUT_WR)
        assert stream.receive() == b""


def test_the_last_of_the_handshake_leaves_with_the_request(
    served: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    """A connection with one request costs two segments of ours, and not three."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        stream = TlsStream(ours, trusting, "127.0.0.1")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = served.wrap_bio(incoming, outgoing, server_side=True)
        assert not stream.handshake(readable=False)
        incoming.write(theirs.recv(65536))
        with pytest.raises(ssl.SSLWantReadError):
            server.do_handshake()
        theirs.sendall(outgoing.read())
        assert stream.handshake(readable=True)
        with pytest.raises(BlockingIOError):
            theirs.recv(65536)
        assert stream.send(memoryview(b"GET")) == 3
        assert stream.flush()
        incoming.write(theirs.recv(65536))
        server.do_handshake()
        assert server.read() == b"GET"


@contextlib.contextmanager
def joined(
    authority: trustme.CA, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> Iterator[tuple[TlsStream, ssl.SSLObject, Callable[[], int]]]:
    """Give both ends of a connection, and what carries bytes: it tells how many to the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = version
    authority.issue_cert("127.0.0.1").configure_cert(context)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        stream = TlsStream(ours, trusting, "127.0.0.1")

        def carry() -> int:
            theirs.sendall(outgoing.read())
            try:
                return incoming.write(theirs.recv(65536))
            except BlockingIOError:
                return 0

        served, done = False, stream.handshake(readable=False)
        while not (served and done):
            carry()
            with contextlib.suppress(ssl.SSLWantReadError):
                server.do_handshake()
                served = True
            carry()
            done = done or stream.handshake(readable=True)
            stream.flush()
        assert not stream.receive()  # session tickets
        yield stream, server, carry


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [1, RECORD - 1, RECORD, RECORD + 1, 3 * RECORD])
def test_records(
    authority: trustme.CA, trusting: ssl.SSLContext, version: ssl.TLSVersion, size: int
) -> None:
    """Each is taken whole, and as long as one is left `buffered` says so."""
    with joined(authority, trusting, version) as (stream, server, carry):
        assert not stream.buffered
        server.write(bytes(size))
        carry()
        for left in range(size, 0, -RECORD):
            assert stream.receive() == bytes(min(left, RECORD))
            assert stream.buffered == (left > RECORD)
        assert stream.receive() is None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_connection_that_failed_rests(
    authority: trustme.CA, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    """OpenSSL writes no more, and that is no failure of the attempt that has just ended."""
    with joined(authority, trusting, version) as (stream, server, carry):
        stream.sock.sendall(b"\x17\x03\x03\0\x20" + bytes(32))  # no record of this connection
        carry()
        with pytest.raises(ssl.SSLError):
            server.read()
        carry()
        with pytest.raises(ssl.SSLError, match="ALERT"):
            stream.receive()
        stream.rest()
        with pytest.raises(ssl.SSLError):
            stream.send(b"GET")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_connection_that_rests_says_nothing_and_goes_on(
    authority: trustme.CA, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    """After the tickets of its handshake it gives memory back, and no byte leaves for that."""
    with joined(authority, trusting, version) as (stream, server, carry):
        stream.rest()
        assert stream.flush()
        assert carry() == 0
        assert stream.send(b"again") == 5
        assert carry() > 0
        assert server.read() == b"again"
