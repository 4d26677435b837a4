"""What is read from the kernel about a listener."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaultstorm_server.afd.kernel import KernelView, queue_and_limit, view


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listener with a backlog of 1, which two connections fill."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as sock:
        yield sock


def test_queue_and_limit_of_a_listener(listener: socket.socket) -> None:
    """The queue counts what waits; one more fits than the limit says."""
    assert queue_and_limit(listener) == (0, 1)
    with (
        socket.create_connection(listener.getsockname()),
        socket.create_connection(listener.getsockname()),
    ):
        assert queue_and_limit(listener) == (2, 1)

    listener.listen(5)
    assert queue_and_limit(listener) == (2, 5)


def test_an_overflow_is_counted(listener: socket.socket) -> None:
    """A SYN that finds the queue full is an overflow and a drop, since the view before."""
    before = view(listener)
    clients = [socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(3)]
    for client in clients:
        client.connect_ex(listener.getsockname())

    # Other listeners of the machine may overflow meanwhile: the counters are everybody's.
    since = view(listener).since(before)
    assert (since.queued, since.limit) == (2, 1)
    assert since.listen_overflows is not None
    assert since.listen_overflows >= 1
    assert since.listen_drops is not None
    assert since.listen_drops >= 1
    for client in clients:
        client.close()


def test_a_socket_that_does_not_listen_has_no_queue(listener: socket.socket) -> None:
    """A bound, a shut down and a closed socket give None, not the numbers of something else."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert queue_and_limit(sock) == (None, None)

    assert queue_and_limit(sock) == (None, None)
    listener.shutdown(socket.SHUT_RD)
    assert queue_and_limit(listener) == (None, None)


@pytest.mark.parametrize(
    "text", [None, "", "IpExt: a\nIpExt: 1\n", "TcpExt: ListenDrops\n", "TcpExt:\nTcpExt:\n"]
)
def test_unreadable_counters_are_none(
    text: str | None, listener: socket.socket, tmp_path: Path
) -> None:
    """A system without the counters costs their fields and nothing else."""
    netstat = tmp_path / "netstat"
    if text is not None:
        netstat.write_text(text)

    seen = view(listener, netstat)

    assert seen == KernelView(queued=0, limit=1)
    assert seen.since(seen) == seen
