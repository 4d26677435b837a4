"""Streams: bytes in and out of a non-blocking socket, and closing it."""

import asyncio
import contextlib
import socket
import ssl
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from tests.server.httpsys.serving import on_uvloop
from vaultstorm_server.httpsys import tls
from vaultstorm_server.httpsys.stream import Stream


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Connect two sockets over TCP; the first does not block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there = socket.create_connection(listener.getsockname())
        here, _ = listener.accept()
    here.setblocking(False)
    there.settimeout(20)
    yield here, there
    here.close()
    there.close()


def stream(here: socket.socket) -> tuple[Stream, asyncio.Event, asyncio.Event]:
    """Make a stream whose callbacks set events."""
    readable, writable = asyncio.Event(), asyncio.Event()
    return (
        Stream(asyncio.get_running_loop(), here, readable.set, writable.set),
        readable,
        writable,
    )


@on_uvloop
async def test_bytes_go_both_ways(pair: tuple[socket.socket, socket.socket]) -> None:
    """What there is is read, nothing is None, and the end is empty."""
    here, there = pair
    made, readable, _ = stream(here)
    made.read_on()
    made.read_on()
    assert made.receive() is None
    assert made.send(b"out")
    assert there.recv(9) == b"out"

    there.sendall(b"in")
    await asyncio.wait_for(readable.wait(), 20)
    assert made.receive() == b"in"
    assert not made.pending
    there.close()
    readable.clear()
    await asyncio.wait_for(readable.wait(), 20)
    assert made.receive() == b""
    made.close()
    made.close()


@on_uvloop
async def test_what_the_socket_does_not_take_waits(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """The rest is written in order when there is room, with what was sent later behind it."""
    here, there = pair
    made, _, writable = stream(here)
    first = bytes(range(256)) * 40000
    assert not made.send(first)
    assert not made.send(b"end")
    assert 0 < made.unsent <= len(first) + 3

    reading = asyncio.ensure_future(asyncio.to_thread(_read_exactly, there, len(first) + 3))
    while not made.flush():
        writable.clear()
        await asyncio.wait_for(writable.wait(), 20)

    assert await reading == first + b"end"
    assert made.unsent == 0
    made.close()


def _read_exactly(sock: socket.socket, size: int) -> bytes:
    parts = []
    while size > 0:
        parts.append(sock.recv(size))
        size -= len(parts[-1])
    return b"".join(parts)


@on_uvloop
async def test_a_handshake_whose_bytes_are_out_waits_for_the_peer_alone(tmp_path: Path) -> None:
    """A step that had to wait for room is done once there is some: room is no news after that."""
    here, there = socket.socketpair()  # which is full when it says so, as TCP is not
    here.setblocking(False)
    there.setblocking(False)
    context, ca = tls.server_context(tmp_path, "localhost")
    trust, hello = ssl.create_default_context(cafile=ca), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        trust.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
    with contextlib.suppress(BlockingIOError):
        while True:
            here.send(bytes(65536))
    there.send(hello.read())
    made, readable, writable = stream(here)
    made.read_on()
    await asyncio.wait_for(readable.wait(), 20)
    assert not made.handshake(context)

    while not writable.is_set():
        with contextlib.suppress(BlockingIOError):
            there.recv(1 << 20)
        await asyncio.sleep(0)
    assert not made.handshake(context)
    writable.clear()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not writable.is_set()
    made.close()
    there.close()


@on_uvloop
async def test_a_half_closed_stream_only_discards(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """The peer sees the end, and what it sends is counted and forgotten."""
    here, there = pair
    made, readable, _ = stream(here)
    made.half_close()
    made.read_on()
    assert await asyncio.to_thread(there.recv, 9) == b""
    assert made.discard() is None

    there.sendall(b"12345")
    await asyncio.wait_for(readable.wait(), 20)
    assert made.discard() == 5
    made.close()


@on_uvloop
async def test_a_paused_stream_is_not_reported(pair: tuple[socket.socket, socket.socket]) -> None:
    """Until reading goes on, the peer waits."""
    here, there = pair
    made, readable, _ = stream(here)
    made.read_on()
    made.pause()
    there.sendall(b"x")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not readable.is_set()

    made.read_on()

    await asyncio.wait_for(readable.wait(), 20)
    made.close()
    made.read_on()
    assert made.fd == -1


@on_uvloop
async def test_a_closed_stream_lets_go_of_its_owner(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """No cycle is left to the garbage collector."""

    class Owner:
        """Has a stream, and is what it calls."""

        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self.stream = Stream(loop, pair[0], self.called, self.called)

        def called(self) -> None:
            """Do nothing."""

    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
    owner = Owner(asyncio.get_running_loop())
    owner.stream.read_on()
    owner.stream.close()
    watched = weakref.ref(owner)
    del owner
    await asyncio.sleep(0)

    assert watched() is None


def read_to_the_end(sock: socket.socket) -> None:
    """Read up to a FIN; a RST raises."""
    while sock.recv(65536):
        pass


@on_uvloop
async def test_a_reset_takes_back_what_was_not_sent(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """The peer reads what it has, then the reset; the descriptor is given back."""
    here, there = pair
    made, _, _ = stream(here)
    made.read_on()
    assert made.send(b"out")
    assert there.recv(9) == b"out"
    assert not made.send(bytes(32 << 20))

    made.reset()

    assert (made.fd, made.unsent, here.fileno()) == (-1, 0, -1)
    with pytest.raises(ConnectionResetError):
        read_to_the_end(there)
