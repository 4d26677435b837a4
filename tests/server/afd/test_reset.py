"""Overflow as handshake, then RST: exact numbers, and every one of them journalled."""

from typing import Any

import pytest

from tests.server.afd.harness import Stage, seen, states, until
from vaultstorm_wire.journal import TurnedAway

KB960007: dict[str, Any] = {
    "EnableDynamicBacklog": 1,
    "MinimumDynamicBacklog": 20,
    "MaximumDynamicBacklog": 20000,
    "DynamicBacklogGrowthDelta": 10,
}


@pytest.mark.asyncio
@pytest.mark.parametrize("backlog", [1, 10])
async def test_exactly_the_backlog_is_admitted(stage: Stage, backlog: int) -> None:
    """With the gate closed N of N+90 wait, 90 are reset, and the journal names those 90."""
    listener = stage.open(gate=False, Backlog=backlog)
    clients = stage.connect(listener, backlog + 90)
    await until(lambda: states(clients) == {"connected": backlog, "reset": 90})

    queue = listener.statistics().queue
    assert (queue.admitted, queue.queued, queue.turned_away) == (backlog, backlog, 90)
    records = stage.records(TurnedAway)
    assert {(record.how, record.cause) for record in records} == {("reset", "backlog_full")}
    reset = [client.local for client in clients if client.state == "reset"]
    assert sorted(record.peer for record in records) == sorted(reset)
    assert stage.taken == []


@pytest.mark.asyncio
@pytest.mark.parametrize("count, reset", [(9, 0), (10, 0), (11, 1)])
async def test_the_first_too_many_is_reset(stage: Stage, count: int, reset: int) -> None:
    """N-1 and N fit, and of N+1 one does not."""
    listener = stage.open(gate=False, Backlog=10)
    clients = stage.connect(listener, count)
    await until(lambda: seen(listener) == count)
    await until(lambda: states(clients)["reset"] == reset)

    assert states(clients)["connected"] == count - reset


@pytest.mark.asyncio
async def test_the_opened_gate_lets_the_waiting_in_and_frees_their_slots(stage: Stage) -> None:
    """The ten that waited are taken in the order of their arrival; ten more fit then."""
    listener = stage.open(gate=False, Backlog=10)
    first = stage.connect(listener, 10)
    await until(lambda: seen(listener) == 10)

    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 10)
    assert [peer for _, peer in stage.taken] == [client.local for client in first]

    listener.set_gate(False)
    second = stage.connect(listener, 11)
    await until(lambda: seen(listener) == 21)
    await until(lambda: states(second) == {"connected": 10, "reset": 1})


@pytest.mark.asyncio
@pytest.mark.parametrize("backlog, admitted", [(10, 10), (100, 500)])
async def test_the_registry_values_help_only_above_the_minimum(
    stage: Stage, backlog: int, admitted: int
) -> None:
    """KB960007 on sockets: 10 stays 10, and 100 saves the whole burst of 500."""
    listener = stage.open(gate=False, Backlog=backlog, **KB960007)
    stage.connect(listener, 500)
    await until(lambda: seen(listener) == 500)

    assert listener.statistics().queue.admitted == admitted
    assert listener.statistics().queue.dynamic == (backlog > 20)
    assert len(stage.records(TurnedAway)) == 500 - admitted


@pytest.mark.asyncio
async def test_the_kernels_own_queue_does_not_overflow(stage: Stage) -> None:
    """The emulated overflow is not the kernel's, whose queue is empty and whose limit is high."""
    listener = stage.open(gate=False, Backlog=1)
    stage.connect(listener, 100)
    await until(lambda: seen(listener) == 100)

    kernel = listener.statistics().kernel
    assert kernel.queued == 0
    assert kernel.limit is not None
    assert kernel.limit >= 100
