"""The misbehaving server, against plain sockets."""

import contextlib
import select
import socket
import ssl

import pytest
import trustme

from tests.support.misbehaving import OK, Behaviour, Misbehaving, Peer, answering, once

REQUEST = b"PUT / HTTP/1.1\r\nContent-Length: 3\r\nX-Request-Id: a\r\n\r\nabc"


def dial(server: Misbehaving) -> socket.socket:
    """Connect."""
    return socket.create_connection(("127.0.0.1", server.port))


def drain(sock: socket.socket) -> bytes:
    """Read to the end."""
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def test_answers_every_request() -> None:
    """Two requests in one piece get two answers, and both ids are noted."""
    with Misbehaving(answering()) as server, dial(server) as sock:
        sock.sendall(REQUEST + REQUEST.replace(b"Id: a", b"Id: b"))
        sock.shutdown(socket.SHUT_WR)
        assert drain(sock) == OK + OK
        assert server.seen == ["a", "b"]
        assert server.connections == 1


def ended(sock: socket.socket) -> None:
    """Wait until a RST, not a mere FIN, has come: the kernel then says POLLERR or POLLHUP."""
    poll = select.poll()
    poll.register(sock, 0)
    assert poll.poll(20_000)


@pytest.mark.parametrize("behave", [Peer.reset, once(b"", Peer.reset)])
def test_resets(behave: Behaviour) -> None:
    """A reset is a RST."""
    with Misbehaving(behave) as server, dial(server) as sock:
        with contextlib.suppress(ConnectionResetError):
            sock.sendall(REQUEST)
        if behave is not Peer.reset:
            with pytest.raises(ConnectionResetError):
                drain(sock)
        else:
            ended(sock)


def test_finishes() -> None:
    """A finish is a FIN behind what was said."""
    with Misbehaving(once(b"half")) as server, dial(server) as sock:
        sock.sendall(REQUEST)
        assert drain(sock) == b"half"


def test_tls() -> None:
    """TLS ends with a close_notify."""
    authority = trustme.CA()
    served, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusting)
    with (
        Misbehaving(once(OK), served) as server,
        trusting.wrap_socket(dial(server), server_hostname="127.0.0.1") as secured,
    ):
        secured.sendall(REQUEST)
        assert drain(secured) == OK
        secured.unwrap()


def test_a_wrong_behaviour_is_an_error_of_the_test() -> None:
    """What a behaviour raises is not swallowed."""

    def behave(peer: Peer) -> None:
        raise KeyError(peer.number)

    with (
        pytest.raises(AssertionError, match="KeyError"),
        Misbehaving(behave) as server,
        dial(server) as sock,
    ):
        drain(sock)
