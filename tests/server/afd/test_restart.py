"""Listeners that are stopped and started again on their port, as iisreset does it."""

import asyncio
import os
import socket

import pytest

from tests.server.afd.harness import Stage, seen, states, until
from vaultstorm_server.afd.listener import STYLES, open_listener
from vaultstorm_server.settings import Settings
from vaultstorm_wire.journal import Pause, TurnedAway

every_style = pytest.mark.parametrize("style", sorted(STYLES))


@pytest.mark.asyncio
@every_style
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_stopped_listener_refuses_and_a_started_one_takes(
    stage: Stage, style: str, host: str
) -> None:
    """The port is the same one; what was taken before lives on; more than once is fine."""
    listener = stage.open(style, host=host)
    port = listener.port
    stage.connect(listener, 1)
    await until(lambda: len(stage.taken) == 1)
    for round in (1, 2):
        listener.stop()
        listener.stop()
        refused = stage.connect(listener, 3)
        await until(lambda: states(refused) == {"refused": 3})  # noqa: B023 - awaited at once
        assert not listener.statistics().listening

        listener.start()
        listener.start()
        stage.connect(listener, 1)
        await until(lambda: len(stage.taken) == 1 + round)  # noqa: B023
        assert listener.statistics().listening

    assert listener.port == port
    assert stage.taken[0][0].send(b"alive") == 5
    assert listener.statistics().queue.accepted == 3


@pytest.mark.asyncio
@every_style
async def test_a_stop_resets_what_waits_and_a_start_begins_empty(stage: Stage, style: str) -> None:
    """The waiting are named; the gate stays closed, and as many fit as before."""
    listener = stage.open(style, gate=False, Backlog=3)
    clients = stage.connect(listener, 3)
    await until(lambda: seen(listener) == 3)

    listener.stop()
    await until(lambda: states(clients) == {"reset": 3})
    listener.start()
    queue = listener.statistics().queue
    assert (queue.queued, queue.free, queue.abandoned, queue.accepted) == (0, 3, 3, 0)

    later = stage.connect(listener, 3)
    await until(lambda: seen(listener) == 6)
    assert stage.taken == []
    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 3)
    assert states(later) == {"connected": 3}
    assert [record.cause for record in stage.records(TurnedAway)] == ["stopping"] * 3


@pytest.mark.asyncio
@pytest.mark.parametrize("style", ["drop", "refuse"])
async def test_a_pause_ends_with_the_stop(stage: Stage, style: str) -> None:
    """A full queue is an empty one afterwards, and the next pause is another one."""
    listener = stage.open(style, gate=False, Backlog=2)
    for pauses in (1, 2):
        stage.connect(listener, 2)
        await until(lambda: listener.statistics().paused)
        assert listener.statistics().pauses == pauses
        listener.stop()
        assert len(stage.records(Pause)) == pauses
        assert not listener.statistics().paused
        listener.start()


@pytest.mark.asyncio
@every_style
async def test_the_gate_may_be_opened_while_it_is_stopped(stage: Stage, style: str) -> None:
    """It holds from the start on."""
    listener = stage.open(style, gate=False)
    listener.stop()
    listener.set_gate(True)
    assert repr(listener).endswith(": stopped>")

    listener.start()
    stage.connect(listener, 1)
    await until(lambda: len(stage.taken) == 1)


@pytest.mark.asyncio
@every_style
async def test_the_pace_begins_anew(stage: Stage, style: str) -> None:
    """The new application has accepted nothing yet, and need not wait before its first accept."""
    listener = stage.open(style, AcceptInterval=3600)
    stage.connect(listener, 1)
    await until(lambda: len(stage.taken) == 1)
    listener.stop()
    listener.start()
    stage.connect(listener, 2)

    await until(lambda: len(stage.taken) == 2)
    await until(lambda: listener.statistics().queue.queued == 1)


@pytest.mark.asyncio
@every_style
async def test_what_growth_had_made_is_gone(stage: Stage, style: str) -> None:
    """A new application starts with the backlog that it asks for; the count goes on."""
    listener = stage.open(
        style,
        gate=False,
        Backlog=2,
        EnableDynamicBacklog=1,
        MinimumDynamicBacklog=1,
        MaximumDynamicBacklog=100,
        DynamicBacklogGrowthDelta=3,
    )
    stage.connect(listener, 2)
    await until(lambda: listener.statistics().queue.created == 3)
    listener.stop()
    listener.start()

    queue = listener.statistics().queue
    assert (queue.capacity, queue.free, queue.created) == (2, 2, 3)
    stage.connect(listener, 2)
    await until(lambda: listener.statistics().queue.created == 6)


@pytest.mark.asyncio
@every_style
async def test_a_stopped_listener_keeps_its_port(stage: Stage, style: str) -> None:
    """A client of this machine that was given it for its own end would keep us from starting."""
    listener = stage.open(style)
    listener.stop()

    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((listener.host, listener.port))


@pytest.mark.asyncio
@every_style
async def test_a_start_on_a_port_that_is_taken_can_be_tried_again(stage: Stage, style: str) -> None:
    """SO_REUSEADDR lets another listener have it: an OSError, and it stays stopped."""
    listener = stage.open(style)
    listener.stop()
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind((listener.host, listener.port))
        thief.listen()
        with pytest.raises(OSError, match="in use"):
            listener.start()
        assert not listener.statistics().listening

    listener.start()
    stage.connect(listener, 1)
    await until(lambda: len(stage.taken) == 1)


@pytest.mark.asyncio
@every_style
async def test_a_stopped_listener_can_be_closed(stage: Stage, style: str) -> None:
    """Its port is free then, and no descriptor is left."""
    before = len(os.listdir("/proc/self/fd"))
    listener = stage.open(style)
    listener.stop()
    listener.start()
    listener.stop()
    listener.close()

    assert repr(listener).endswith(": closed>")
    assert len(os.listdir("/proc/self/fd")) == before
    loop = asyncio.get_running_loop()
    take = stage.taken.append
    again = open_listener(
        loop, "127.0.0.1", listener.port, Settings(), lambda *taken: take(taken), stage.journal
    )
    again.close()
