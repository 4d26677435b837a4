"""Getting a connection: the three steps of a spike, and what connect() may say."""

import errno
import socket
from collections.abc import Iterator

import pytest

from vaultstorm_client import target
from vaultstorm_client.client import Client
from vaultstorm_client.dialler import State
from vaultstorm_client.engine import Engine
from vaultstorm_client.plan import Plan


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def engine_for(port: int, plan: Plan) -> Engine:
    """Make an engine that aims at a port with plain TCP."""
    return Engine(plan, target.parse(f"tcp://127.0.0.1:{port}"), None)


def test_opening_connecting_and_looking_are_three_steps(listener: socket.socket) -> None:
    """No SYN leaves before `connect`, and nothing is watched or counted before `connecting`."""
    engine = engine_for(listener.getsockname()[1], Plan(clients=1, hold=0.0))
    client = Client(engine, 0, 0.0)
    listener.setblocking(False)
    assert client.prepare()
    with pytest.raises(BlockingIOError):
        listener.accept()
    result = client.connect(1.0)
    assert result in (0, errno.EINPROGRESS)
    listener.accept()[0].close()
    assert (len(engine.loop), engine.tally.counts.connects) == (0, 0)
    client.connecting(result)
    assert client.state is State.CONNECTING
    assert (len(engine.loop), engine.tally.counts.connects) == (1, 1)
    assert engine.tally.counts.first_syn == engine.tally.counts.last_syn == 1.0
    client.interrupt()
    engine.close()


def test_a_refused_syn_is_sent_again_as_often_as_asked(listener: socket.socket) -> None:
    """Each is counted, none is another connection of the burst, and the last one ends it."""
    port = listener.getsockname()[1]
    listener.close()
    engine = engine_for(port, Plan(clients=1, syn_retries=2, syn_retry_interval=0.0))
    client = Client(engine, 0, 0.0)
    assert client.prepare()
    client.connecting(client.connect(0.0))
    for _ in range(10):
        if client.state is State.DONE:
            break
        engine.loop.run_once(0.0)
    counts = engine.tally.counts
    assert counts.outcomes == {"connect.refused": 1}
    assert (counts.syn_retries, counts.connects) == (2, 1)
    engine.close()


@pytest.mark.parametrize(
    "number, outcome",
    [
        (errno.EADDRNOTAVAIL, "connect.local"),
        (errno.ENETUNREACH, "connect.local"),
        (errno.ETIMEDOUT, "connect.timeout"),
        (errno.ECONNREFUSED, "connect.refused"),
    ],
)
def test_an_error_that_connect_returns_at_once(
    listener: socket.socket, number: int, outcome: str
) -> None:
    """What never became a SYN is the machine's own, and no connection of the burst."""
    engine = engine_for(listener.getsockname()[1], Plan(clients=1))
    client = Client(engine, 0, 0.0)
    assert client.prepare()
    client.connect(0.0)
    client.connecting(number)
    assert engine.tally.counts.outcomes == {outcome: 1}
    assert engine.tally.counts.connects == (number == errno.ECONNREFUSED)
    engine.close()
