"""A connection that is not in use; through a whole client in test_client.py."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from vaultstorm_client import target
from vaultstorm_client.engine import Engine
from vaultstorm_client.loop import READ
from vaultstorm_client.plan import Plan
from vaultstorm_client.rpc.exporters import Where
from vaultstorm_client.rpc.parked import Parked
from vaultstorm_client.stream import PlainStream
from vaultstorm_wire.dcerpc.connection import Connection, Role


class Nobody:
    """Whoever watched the connection before."""

    deadline = armed = float("inf")

    def ready(self) -> None:
        """Must not be called any more."""
        raise AssertionError

    def expired(self, now: float) -> None:
        """Likewise."""
        raise AssertionError


@contextmanager
def parked() -> Iterator[tuple[Engine, Parked, socket.socket]]:
    """Park one end of a connection, and give the other."""
    aim = target.parse("rpc://127.0.0.1")
    engine = Engine(Plan(), aim, None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    near.setblocking(False)
    engine.loop.watch(near.fileno(), READ, Nobody())
    where = Where(aim.address, "x")
    wire = Connection(Role.CLIENT)
    with near, far:
        yield engine, Parked(engine, near, PlainStream(near), wire, where, 1, 2, None), far
    engine.close()


def gone(connection: Parked) -> bool:
    """Tell whether it has ended."""
    return connection.sock is None


def reset(far: socket.socket) -> None:
    """Send a RST."""
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    far.close()


@pytest.mark.parametrize(
    "end",
    [socket.socket.close, reset, lambda far: far.sendall(b"unasked")],
    ids=["fin", "rst", "bytes"],
)
def test_its_end_is_noticed(end: Callable[[socket.socket], None]) -> None:
    """Whatever comes while nothing was asked for ends it, and is no loss."""
    with parked() as (engine, connection, far):
        connection.ready()
        assert not gone(connection)
        end(far)
        engine.loop.run_once()
        assert gone(connection)
        assert engine.tally.counts.idle_closed == 1
        assert engine.loop.idle
        connection.leave()
        connection.expired(0.0)
        assert engine.loop.idle


def test_left() -> None:
    """It is left with a FIN, and watched until the server has said its own."""
    with parked() as (engine, connection, far):
        connection.leave()
        assert connection.sock is None
        assert far.recv(1) == b""
        far.close()
        while not engine.loop.idle:
            engine.loop.run_once()
        assert engine.tally.counts.idle_closed == 0
