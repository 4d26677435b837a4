"""What the kernel says of a port that somebody else listens on."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from vaultstorm.foreign import kernel
from vaultstorm.foreign.kernel import Queue


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Give a listener with a backlog of 2."""
    with socket.create_server(("127.0.0.1", 0), backlog=2) as server:
        yield server


def test_the_queue_is_seen_as_it_fills(listener: socket.socket) -> None:
    """One more than the backlog gets in; what has been seen is not told again."""
    port = listener.getsockname()[1]
    sampler = kernel.Sampler(port)
    first = sampler.changed()
    assert first is not None
    assert (first.queued, first.backlog) == (0, 2)
    with ExitStack() as kept:
        for n in range(1, 4):
            kept.enter_context(socket.create_connection(("127.0.0.1", port)))
            assert kernel.queues(port) == [Queue(n, 2)]
            assert kernel.from_proc(port) == [Queue(n, None)]
        overrun = socket.socket()
        overrun.settimeout(0.05)
        with overrun, pytest.raises(TimeoutError):
            overrun.connect(("127.0.0.1", port))
        last = sampler.changed()
    assert last is not None
    assert (last.queued, last.backlog) == (3, 2)
    assert last.overflows >= 1


def test_nobody_listens() -> None:
    """Then there is nothing to tell; a connected socket is no listener."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            pass
    assert kernel.queues(port) == []
    assert kernel.Sampler(port).changed() is None


def test_the_fullest_of_several_is_told() -> None:
    """With SO_REUSEPORT each worker has a queue of its own."""
    assert kernel.fullest([]) is None
    assert kernel.fullest([Queue(1, 9), Queue(3, 2), Queue(4, 100)]) == Queue(3, 2)
    assert kernel.fullest([Queue(1, None), Queue(2, None)]) == Queue(2, None)


def test_where_there_is_no_proc_there_is_nothing(tmp_path: Path) -> None:
    """No error either."""
    assert kernel.from_proc(80, tmp_path) == []
