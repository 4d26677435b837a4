"""Overflow as RST to the SYN: the listener is shut while the queue is full."""

import socket

import pytest
import structlog

from tests.server.afd.harness import Stage, seen, states, until
from vaultstorm_server import clock
from vaultstorm_wire.journal import Pause, TurnedAway


@pytest.mark.asyncio
async def test_every_connect_to_a_full_queue_is_refused(stage: Stage) -> None:
    """Ten wait; each of the next 90 gets ECONNREFUSED, and the ten are none the worse."""
    listener = stage.open("refuse", gate=False, Backlog=10)
    first = stage.connect(listener, 10)
    await until(lambda: listener.statistics().paused)

    later = stage.connect(listener, 90)
    await until(lambda: states(later) == {"refused": 90})
    assert states(first) == {"connected": 10}
    assert stage.records(TurnedAway) == []
    assert listener.statistics().pauses == 1
    assert listener.statistics().kernel.queued is None


@pytest.mark.asyncio
async def test_it_listens_again_once_there_is_room(stage: Stage) -> None:
    """The opened gate ends the pause, on the same port, and the pause is journalled."""
    listener = stage.open("refuse", gate=False, Backlog=10)
    began = clock.now()
    stage.connect(listener, 10)
    await until(lambda: listener.statistics().paused)
    assert stage.records(Pause) == []

    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 10)
    later = stage.connect(listener, 5)
    await until(lambda: len(stage.taken) == 15)

    assert states(later) == {"connected": 5}
    (pause,) = stage.records(Pause)
    assert (pause.style, pause.caught) == ("refuse", 0)
    assert began <= pause.time <= pause.until <= clock.now()
    assert not listener.statistics().paused


@pytest.mark.asyncio
async def test_one_free_slot_lets_one_in(stage: Stage) -> None:
    """With one accept between two pauses exactly one more connection gets in."""
    listener = stage.open("refuse", gate=False, Backlog=2, AcceptInterval=3600)
    stage.connect(listener, 2)
    await until(lambda: listener.statistics().paused)
    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 1)

    assert not listener.statistics().paused
    stage.connect(listener, 1)
    await until(lambda: listener.statistics().paused)
    assert states(stage.connect(listener, 3)) == {"refused": 3}
    assert listener.statistics().pauses == 2
    assert seen(listener) == 3


@pytest.mark.asyncio
async def test_what_is_caught_in_the_kernel_is_reset_and_named(stage: Stage) -> None:
    """Of a burst that is there before the loop looks, 10 wait and 90 are caught."""
    listener = stage.open("refuse", gate=False, Backlog=10)
    clients = stage.connect(listener, 100)
    await until(lambda: listener.statistics().paused)
    await until(lambda: states(clients) == {"connected": 10, "reset": 90})

    reset = sorted(client.local for client in clients if client.state == "reset")
    assert sorted(record.peer for record in stage.records(TurnedAway)) == reset
    listener.set_gate(True)
    await until(lambda: not listener.statistics().paused)
    (pause,) = stage.records(Pause)
    assert pause.caught == 90


@pytest.mark.asyncio
async def test_growth_ends_a_pause(stage: Stage) -> None:
    """After the lag the grown queue listens again, though nothing was accepted."""
    listener = stage.open(
        "refuse",
        gate=False,
        Backlog=2,
        EnableDynamicBacklog=1,
        MinimumDynamicBacklog=1,
        MaximumDynamicBacklog=100,
        DynamicBacklogGrowthDelta=3,
        GrowthLag=0.05,
    )
    stage.connect(listener, 2)
    await until(lambda: len(stage.records(Pause)) == 1)

    assert listener.statistics().queue.created == 3
    stage.connect(listener, 1)
    await until(lambda: seen(listener) == 3)
    assert stage.taken == []


@pytest.mark.asyncio
async def test_growth_without_lag_leaves_no_pause(stage: Stage) -> None:
    """A queue that has grown before the next connection is never full."""
    listener = stage.open(
        "refuse",
        gate=False,
        Backlog=2,
        EnableDynamicBacklog=1,
        MinimumDynamicBacklog=1,
        MaximumDynamicBacklog=100,
        DynamicBacklogGrowthDelta=1,
    )
    for count in range(1, 51):
        stage.connect(listener, 1)
        await until(lambda: seen(listener) == count)  # noqa: B023 - awaited within its turn

    assert listener.statistics().pauses == 0


@pytest.mark.asyncio
async def test_a_port_that_is_taken_in_a_pause_is_waited_for(stage: Stage) -> None:
    """Another listener may have the port while it is shut: said once, tried until it is free."""
    listener = stage.open("refuse", gate=False, Backlog=1)
    stage.connect(listener, 1)
    await until(lambda: listener.statistics().paused)

    with structlog.testing.capture_logs() as logs:
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind((listener.host, listener.port))
            thief.listen()
            listener.set_gate(True)
            await until(lambda: len(stage.taken) == 1)
            assert listener.statistics().paused
        await until(lambda: not listener.statistics().paused)
    assert [entry["event"] for entry in logs] == ["listen_again_failed"]

    stage.connect(listener, 1)
    await until(lambda: len(stage.taken) == 2)


@pytest.mark.asyncio
async def test_closing_in_a_pause_journals_it(stage: Stage) -> None:
    """The pause ends with the listener; those that wait are reset."""
    listener = stage.open("refuse", gate=False, Backlog=3)
    clients = stage.connect(listener, 3)
    await until(lambda: listener.statistics().paused)

    listener.close()

    await until(lambda: states(clients) == {"reset": 3})
    assert len(stage.records(Pause)) == 1
    assert [record.cause for record in stage.records(TurnedAway)] == ["stopping"] * 3
