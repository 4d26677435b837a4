"""Overflow as Linux has it: the kernel's queue is the queue."""

from pathlib import Path

import pytest
import structlog

from tests.server.afd.harness import Stage, seen, states, until
from vaultstorm_wire.journal import Pause, TurnedAway

SOMAXCONN = int(Path("/proc/sys/net/core/somaxconn").read_text())


@pytest.mark.asyncio
@pytest.mark.parametrize("backlog", [1, 2, 10])
async def test_exactly_the_backlog_connects_and_the_rest_when_the_gate_opens(
    stage: Stage, backlog: int
) -> None:
    """N connect at once; of the others the SYN is dropped, and its retransmission gets in."""
    listener = stage.open("drop", gate=False, Backlog=backlog)
    first = stage.connect(listener, backlog)
    await until(lambda: listener.statistics().paused)
    # No more than fit at once: their SYNs come back together, a second later.
    later = stage.connect(listener, backlog)
    assert states(first) == {"connected": backlog}
    assert states(later) == {"connecting": backlog}
    assert listener.statistics().kernel.queued == backlog
    overflows = listener.statistics().kernel.listen_overflows
    assert overflows is not None
    assert overflows >= backlog

    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 2 * backlog)

    assert states(first + later) == {"connected": 2 * backlog}
    assert {peer for _, peer in stage.taken} == {client.local for client in first + later}
    queue = listener.statistics().queue
    assert (queue.admitted, queue.accepted, queue.queued) == (2 * backlog, 2 * backlog, 0)
    assert stage.records(TurnedAway) == []
    assert {pause.style for pause in stage.records(Pause)} == {"drop"}


@pytest.mark.asyncio
@pytest.mark.parametrize("backlog", [1, 2, 10])
async def test_of_one_burst_exactly_the_backlog_connects(stage: Stage, backlog: int) -> None:
    """Of N+20 in one tight loop N are connected, and nobody hears anything of the others."""
    listener = stage.open("drop", gate=False, Backlog=backlog)
    clients = stage.connect(listener, backlog + 20)
    await until(lambda: listener.statistics().paused)

    assert states(clients) == {"connected": backlog, "connecting": 20}
    assert listener.statistics().queue.admitted == backlog


@pytest.mark.asyncio
async def test_the_policy_hears_of_each_arrival(stage: Stage) -> None:
    """One connection below the backlog is no pause; the last that fits begins one."""
    listener = stage.open("drop", gate=False, Backlog=3)
    stage.connect(listener, 2)
    await until(lambda: seen(listener) == 2)
    assert not listener.statistics().paused

    stage.connect(listener, 1)
    await until(lambda: listener.statistics().paused)

    assert listener.statistics().queue.free == 0
    assert stage.records(Pause) == []
    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 3)
    await until(lambda: len(stage.records(Pause)) == 1)


@pytest.mark.asyncio
async def test_nothing_is_accepted_ahead_of_the_application(stage: Stage) -> None:
    """One accept frees one place in the kernel's queue, and no more."""
    listener = stage.open("drop", gate=False, Backlog=3, AcceptInterval=3600)
    stage.connect(listener, 3)
    await until(lambda: listener.statistics().paused)

    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 1)

    assert listener.statistics().kernel.queued == 2
    stage.connect(listener, 1)
    await until(lambda: listener.statistics().paused)
    assert listener.statistics().kernel.queued == 3


@pytest.mark.asyncio
async def test_growth_raises_the_kernels_limit(stage: Stage) -> None:
    """The kernel's queue is as long as the policy's, grown or shrunk."""
    listener = stage.open(
        "drop",
        gate=False,
        Backlog=5,
        EnableDynamicBacklog=1,
        MinimumDynamicBacklog=2,
        MaximumDynamicBacklog=100,
        DynamicBacklogGrowthDelta=10,
    )
    assert listener.statistics().kernel.limit == 4
    stage.connect(listener, 4)
    # 1 of 5 is free, below 2: 10 more make 15.
    await until(lambda: listener.statistics().queue.created == 10)
    assert listener.statistics().kernel.limit == 14

    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 4)
    # 11 are free, above 2: what is accepted is not refilled.
    assert listener.statistics().kernel.limit == 10


@pytest.mark.asyncio
@pytest.mark.skipif(SOMAXCONN >= 65535, reason="the kernel does not cut any backlog here")
async def test_a_backlog_that_the_kernel_cuts_is_said(stage: Stage) -> None:
    """A limit below the policy's would otherwise drop what the statistics call free."""
    with structlog.testing.capture_logs() as logs:
        listener = stage.open("drop", Backlog=65535, MaximumStaticBacklog=65535)

    assert listener.statistics().kernel.limit == SOMAXCONN
    assert [(entry["event"], entry["fits"]) for entry in logs] == [
        ("kernel_backlog_cut", SOMAXCONN + 1)
    ]


@pytest.mark.asyncio
async def test_closing_resets_what_waits(stage: Stage) -> None:
    """What the kernel has queued is reset, named in the journal, and the pause is ended."""
    listener = stage.open("drop", gate=False, Backlog=3)
    clients = stage.connect(listener, 3)
    await until(lambda: listener.statistics().paused)

    listener.close()

    await until(lambda: states(clients) == {"reset": 3})
    records = stage.records(TurnedAway)
    assert sorted(record.peer for record in records) == sorted(client.local for client in clients)
    assert {record.cause for record in records} == {"stopping"}
    assert len(stage.records(Pause)) == 1
    assert listener.statistics().queue.abandoned == 3
