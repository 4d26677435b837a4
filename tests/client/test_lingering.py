"""Connections that are left to the server to close."""

import os
import socket
from collections.abc import Iterator

import pytest

from vaultstorm_client.clock import monotonic
from vaultstorm_client.lingering import Lingering
from vaultstorm_client.loop import NEVER, READ, Loop


class Before:
    """Had the connection before it was left."""

    deadline = armed = NEVER

    def ready(self) -> None:
        """Fail: it is none of its business any more."""
        raise AssertionError

    def expired(self, now: float) -> None:
        """Fail, likewise."""
        raise AssertionError(now)


@pytest.fixture
def loop() -> Iterator[Loop]:
    """Make a loop."""
    made = Loop()
    yield made
    made.close()


def lingering(loop: Loop) -> tuple[Lingering, socket.socket, int]:
    """Leave one end of a pair; give the other end, and the descriptor."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    loop.watch(ours.fileno(), READ, Before())
    return Lingering(loop, ours), theirs, ours.fileno()


def closed(descriptor: int) -> bool:
    """Tell whether a descriptor is closed."""
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def test_reads_to_the_end(loop: Loop) -> None:
    """It takes what comes, and closes at the peer's end."""
    left, theirs, descriptor = lingering(loop)
    with theirs:
        theirs.send(b"x" * 100)
        loop.run_once(monotonic())
        left.ready()
        assert not closed(descriptor)
        theirs.shutdown(socket.SHUT_WR)
        loop.run_once(monotonic())
        assert closed(descriptor)
        assert loop.idle
        loop.run_once(monotonic())


def test_patience_ends(loop: Loop) -> None:
    """It closes without the peer's end when it has waited long enough."""
    left, theirs, descriptor = lingering(loop)
    with theirs:
        loop.set_deadline(left, monotonic() - 1)
        loop.run_once(monotonic())
        assert closed(descriptor)
        assert loop.idle
