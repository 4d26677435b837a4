"""What all styles share: opening, pace, gate, descriptors, statistics and the end."""

import asyncio
import errno
import gc
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
import uvloop

from tests.server.afd.harness import Stage, seen, states, styled, until
from vaultstorm_server import clock
from vaultstorm_server.afd.base import ACCEPT_CAPACITY_ERRNOS
from vaultstorm_server.afd.listener import STYLES, open_listener
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import Settings
from vaultstorm_wire.errors import MachineError
from vaultstorm_wire.journal import Event, TurnedAway, decode

every_style = pytest.mark.parametrize("style", sorted(STYLES))


@pytest.mark.asyncio
@every_style
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_application_gets_a_ready_socket_and_its_peer(
    stage: Stage, style: str, host: str
) -> None:
    """It is non-blocking, has Nagle's algorithm off, and comes with the client's address."""
    listener = stage.open(style, host=host)
    (client,) = stage.connect(listener, 1)
    await until(lambda: len(stage.taken) == 1)

    ((sock, peer),) = stage.taken
    assert not sock.getblocking()
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert peer == client.local
    assert listener.host == host


@pytest.mark.asyncio
@every_style
async def test_a_closed_gate_holds_everything_back(stage: Stage, style: str) -> None:
    """Nothing is taken while it is closed, and everything that fits once it is open."""
    listener = stage.open(style, gate=False, Backlog=10)
    stage.connect(listener, 5)
    await until(lambda: seen(listener) == 5)
    assert stage.taken == []

    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 5)


@pytest.mark.asyncio
@every_style
async def test_the_gate_can_be_closed_in_the_middle_of_a_turn(stage: Stage, style: str) -> None:
    """What the application takes may close the gate before the next is taken."""
    taken: list[str] = []

    def take(sock: socket.socket, peer: str) -> None:
        taken.append(peer)
        listener.set_gate(False)
        sock.close()

    listener = stage.open(style, gate=False, Backlog=10, take=take)
    stage.connect(listener, 3)
    await until(lambda: seen(listener) == 3)

    for count in (1, 2, 3):
        listener.set_gate(True)
        await until(lambda: len(taken) == count)  # noqa: B023 - awaited within its turn
        assert listener.statistics().queue.queued == 3 - count


@pytest.mark.asyncio
@every_style
async def test_the_application_takes_one_each_interval(stage: Stage, style: str) -> None:
    """The n-th accept never comes before n intervals have passed, however late the loop is."""
    times: list[float] = []

    def take(sock: socket.socket, peer: str) -> None:
        times.append(clock.now())
        sock.close()

    listener = stage.open(style, gate=False, Backlog=6, AcceptInterval=0.02, take=take)
    stage.connect(listener, 6)
    await until(lambda: seen(listener) == 6)
    opened = clock.now()
    listener.set_gate(True)
    await until(lambda: len(times) == 6)

    # A millisecond for the loop's clock, which is read once per turn.
    assert all(time - opened >= n * 0.02 - 0.001 for n, time in enumerate(times))


@pytest.mark.asyncio
@every_style
async def test_an_application_takes_what_became_due_while_the_loop_was_busy(
    stage: Stage, style: str
) -> None:
    """The real application does not wait for the front process: five intervals, five accepts."""
    taken: list[int] = []
    turn = 0

    def take(sock: socket.socket, peer: str) -> None:
        taken.append(turn)
        sock.close()
        if len(taken) == 1:
            busy_until = clock.now() + 0.1
            while clock.now() < busy_until:
                pass

    def count_turns() -> None:
        nonlocal turn
        turn += 1
        if len(taken) < 6:
            asyncio.get_running_loop().call_soon(count_turns)

    listener = stage.open(style, gate=False, Backlog=6, AcceptInterval=0.02, take=take)
    stage.connect(listener, 6)
    await until(lambda: seen(listener) == 6)
    count_turns()
    listener.set_gate(True)
    await until(lambda: len(taken) == 6)

    assert taken[1:] == [taken[1]] * 5


@pytest.mark.asyncio
@every_style
async def test_an_application_that_raises_loses_no_other_connection(
    stage: Stage, style: str
) -> None:
    """The error goes to the loop's handler, and the next connection is taken all the same."""
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    taken: list[str] = []

    def take(sock: socket.socket, peer: str) -> None:
        sock.close()
        taken.append(peer)
        raise ZeroDivisionError

    listener = stage.open(style, take=take)
    stage.connect(listener, 3)
    await until(lambda: len(taken) == 3)

    assert [type(error["exception"]) for error in errors] == [ZeroDivisionError] * 3


@pytest.mark.asyncio
@every_style
async def test_close_resets_what_waits_and_can_be_called_twice(stage: Stage, style: str) -> None:
    """The waiting are reset as `stopping`; the taken live on; the port is free."""
    listener = stage.open(style, Backlog=5)
    stage.connect(listener, 1)
    await until(lambda: len(stage.taken) == 1)
    listener.set_gate(False)
    clients = stage.connect(listener, 3)
    await until(lambda: seen(listener) == 4)

    listener.close()
    listener.close()

    await until(lambda: states(clients) == {"reset": 3})
    assert [record.cause for record in stage.records(TurnedAway)] == ["stopping"] * 3
    queue = listener.statistics().queue
    assert queue.admitted == queue.accepted + queue.abandoned == 4
    assert stage.taken[0][0].send(b"alive") == 5
    assert states(stage.connect(listener, 1)) == {"refused": 1}
    assert "closed" in repr(listener)


@pytest.mark.asyncio
@every_style
async def test_close_names_what_the_loop_has_not_seen(stage: Stage, style: str) -> None:
    """Connections that came in the same turn as the end are reset and journalled too."""
    listener = stage.open(style, Backlog=5)
    clients = stage.connect(listener, 5)

    listener.close()

    await until(lambda: states(clients) == {"reset": 5})
    peers = sorted(record.peer for record in stage.records(TurnedAway))
    assert peers == sorted(client.local for client in clients)


@pytest.mark.asyncio
@every_style
async def test_statistics_are_plain_data(stage: Stage, style: str) -> None:
    """They encode as JSON, and repr says the same in a line."""
    listener = stage.open(style, gate=False, Backlog=5)
    stage.connect(listener, 5)
    await until(lambda: seen(listener) == 5)

    data = msgspec.json.decode(msgspec.json.encode(listener.statistics()))

    assert data["style"] == style
    assert data["gate_open"] is False
    assert data["out_of_descriptors"] is False
    assert data["queue"]["queued"] == 5
    assert set(data["kernel"]) == {"queued", "limit", "listen_overflows", "listen_drops"}
    paused = "" if style == "reset" else ", paused"
    assert repr(listener) == (
        f"<{style.capitalize()}Listener 127.0.0.1:{listener.port}: "
        f"5 of 5 queued, gate closed{paused}>"
    )


@every_style
def test_a_forgotten_listener_warns(style: str) -> None:
    """It can only be collected after its loop is closed, and says then what it is."""

    def forget() -> None:
        loop = uvloop.new_event_loop()
        settings = styled(style)
        journal = JournalFile(None, "front")
        open_listener(loop, "127.0.0.1", 0, settings, lambda sock, peer: None, journal)
        loop.close()
        del loop
        gc.collect()

    with pytest.warns(ResourceWarning) as caught:
        forget()

    (warning,) = caught
    assert str(warning.message).startswith(f"unclosed <{style.capitalize()}Listener 127.0.0.1:")


@pytest.mark.asyncio
async def test_a_taken_port_is_explained(stage: Stage) -> None:
    """Of two listeners on one port the second does not open."""
    listener = stage.open()

    with pytest.raises(MachineError, match=f"127.0.0.1:{listener.port} is taken"):
        open_listener(
            asyncio.get_running_loop(),
            "127.0.0.1",
            listener.port,
            Settings(),
            lambda sock, peer: None,
            stage.journal,
        )


@pytest.mark.asyncio
async def test_values_that_will_not_do_are_not_for_the_listener_to_say(stage: Stage) -> None:
    """The notices of the start say them, once: see test_notices.py."""
    with structlog.testing.capture_logs() as logs:
        stage.open(Backlog=300)
        stage.open(Backlog=10, EnableDynamicBacklog=1, MinimumDynamicBacklog=20)

    assert logs == []


def test_the_capacity_errors_are_a_named_set() -> None:
    """Descriptors and memory, of the process and of the machine."""
    assert {errno.errorcode[code] for code in ACCEPT_CAPACITY_ERRNOS} == {
        "EMFILE",
        "ENFILE",
        "ENOBUFS",
        "ENOMEM",
    }


@every_style
def test_out_of_descriptors_is_said_once_and_recovered_from(style: str, tmp_path: Path) -> None:
    """A process at RLIMIT_NOFILE backs off, loses no connection, and says so once each way."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("starve.py")), style, str(tmp_path)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    result = msgspec.json.decode(done.stdout.splitlines()[-1])
    assert result == {"exhausted_taken": 0, "taken": 3, "logged": ["EMFILE", "resumed"]}
    (path,) = tmp_path.glob("front-*.ndjson")
    records = [decode(line) for line in path.read_bytes().splitlines()]
    assert [(r.name, r.detail) for r in records if isinstance(r, Event)] == [
        ("accept_suspended", "EMFILE"),
        ("accept_resumed", None),
    ]
