"""Overflow with TcpMaxPortsExhausted: refused at first, then let in and reset."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from tests.server.afd.harness import Stage, seen, states, styled, until
from tests.server.afd.test_refusals import ALONE
from vaultstorm_server.afd import bind
from vaultstorm_server.afd.exhausted import LOOK_EVERY, ExhaustedListener
from vaultstorm_server.afd.policy import AcceptQueue
from vaultstorm_server.journal import JournalFile
from vaultstorm_server.settings import Afd, Settings, Tcpip
from vaultstorm_wire.errors import MachineError
from vaultstorm_wire.journal import Event, Pause, TurnedAway


class Count:
    """Stands for the machine's count, which others make grow, too."""

    def __init__(self, value: int | None = 1000) -> None:
        self.value = value
        self.looks = 0

    def __call__(self) -> int | None:
        """Give it."""
        self.looks += 1
        return self.value

    def add(self, refused: int) -> None:
        """Have the kernel count refused SYNs."""
        assert self.value is not None
        self.value += refused

    async def looked_at(self) -> None:
        """Wait until a look that began after this call is over."""
        looks = self.looks
        await until(lambda: self.looks >= looks + 2)


def opened(stage: Stage, count: Count, limit: int = 5, **afd: int) -> ExhaustedListener:
    """Open a listener that counts by `count`, its gate closed."""
    settings = Settings(afd=Afd(**afd), tcpip=Tcpip(TcpMaxPortsExhausted=limit))
    listener = ExhaustedListener(
        asyncio.get_running_loop(),
        bind.bind("127.0.0.1", 0),
        AcceptQueue(settings.afd, True),
        settings,
        lambda sock, peer: stage.taken.append((sock, peer)),
        stage.journal,
        count,
    )
    stage.keep(listener)
    listener.set_gate(False)
    return listener


async def full(stage: Stage, listener: ExhaustedListener, count: int) -> None:
    """Fill the queue with as many as it holds, and wait for the pause."""
    clients = stage.connect(listener, count)
    await until(lambda: listener.statistics().paused)
    assert states(clients) == {"connected": count}


def told(stage: Stage) -> list[tuple[str, str | None]]:
    """The events that were journalled."""
    return [(event.name, event.detail) for event in stage.records(Event)]


@pytest.mark.asyncio
@pytest.mark.parametrize("limit", [1, 5])
async def test_exactly_the_limit_is_refused_and_the_next_is_reset(stage: Stage, limit: int) -> None:
    """One below it SYNs are still refused; from the one that reaches it on, none is."""
    count = Count()
    listener = opened(stage, count, limit, Backlog=3)
    await full(stage, listener, 3)
    refused = stage.connect(listener, limit - 1)
    count.add(limit - 1)
    await count.looked_at()
    assert listener.statistics().paused

    refused += stage.connect(listener, 1)
    count.add(1)
    await until(lambda: not listener.statistics().paused)
    later = stage.connect(listener, 20)
    await until(lambda: states(later) == {"reset": 20})
    assert states(refused) == {"refused": limit}
    assert stage.taken == []

    (pause,) = stage.records(Pause)
    assert (pause.style, pause.caught, pause.port) == ("refuse", 0, listener.port)
    peers = [(record.peer, record.port) for record in stage.records(TurnedAway)]
    assert sorted(peers) == sorted((client.local, listener.port) for client in later)
    assert told(stage) == [("pause_began", "refuse"), ("protection_began", f"{limit} refused")]
    statistics = listener.statistics()
    assert (statistics.protecting, statistics.refused, statistics.pauses) == (True, limit, 1)


@pytest.mark.asyncio
async def test_protection_ends_with_an_empty_queue(stage: Stage) -> None:
    """Then everything begins again: the next surplus is refused, and counted from 0."""
    count = Count()
    listener = opened(stage, count, 2, Backlog=2)
    for turn in (1, 2):
        await full(stage, listener, 2)
        count.add(1)
        await count.looked_at()
        assert listener.statistics().paused
        count.add(1)
        await until(lambda: listener.statistics().protecting)
        listener.set_gate(True)
        await until(lambda: len(stage.taken) == 2 * turn)  # noqa: B023 - awaited within its turn
        listener.set_gate(False)
        assert not listener.statistics().protecting
        assert listener.statistics().refused == 0
    names = ["pause_began", "protection_began", "protection_ended"]
    assert [name for name, _ in told(stage)] == names * 2


@pytest.mark.asyncio
async def test_a_slot_that_is_free_lets_one_in_and_does_not_end_it(stage: Stage) -> None:
    """While anything waits, the surplus goes on being reset."""
    count = Count()
    listener = opened(stage, count, 1, Backlog=2, AcceptInterval=3600)
    await full(stage, listener, 2)
    count.add(1)
    await until(lambda: listener.statistics().protecting)
    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 1)

    clients = stage.connect(listener, 3)
    await until(lambda: states(clients) == {"connected": 1, "reset": 2})
    assert listener.statistics().protecting
    assert listener.statistics().pauses == 1


@pytest.mark.asyncio
async def test_the_count_goes_on_over_pauses(stage: Stage) -> None:
    """Two refused before a slot was free and three after that are five."""
    count = Count()
    listener = opened(stage, count, 5, Backlog=2, AcceptInterval=3600)
    await full(stage, listener, 2)
    count.add(2)
    listener.set_gate(True)
    await until(lambda: len(stage.taken) == 1)
    assert (listener.statistics().paused, listener.statistics().refused) == (False, 2)
    count.add(50)  # nobody refuses while it listens: these were refused elsewhere

    await full(stage, listener, 1)
    count.add(2)
    await count.looked_at()
    assert (listener.statistics().paused, listener.statistics().refused) == (True, 4)
    count.add(1)
    await until(lambda: not listener.statistics().paused)
    assert told(stage)[-1] == ("protection_began", "5 refused")


@pytest.mark.asyncio
async def test_who_is_caught_in_the_kernel_does_not_count(stage: Stage) -> None:
    """Of a hundred that are there before the loop looks, 90 are reset: no SYN was refused yet."""
    count = Count()
    listener = opened(stage, count, 2, Backlog=10)
    clients = stage.connect(listener, 100)
    await until(lambda: states(clients) == {"connected": 10, "reset": 90})
    await count.looked_at()
    assert (listener.statistics().paused, listener.statistics().refused) == (True, 0)

    refused = stage.connect(listener, 2)
    count.add(2)
    await until(lambda: listener.statistics().protecting)
    (later,) = stage.connect(listener, 1)
    await until(lambda: later.state == "reset")
    assert states(refused) == {"refused": 2}
    assert [pause.caught for pause in stage.records(Pause)] == [90]
    assert len(stage.records(TurnedAway)) == 91


@pytest.mark.asyncio
async def test_a_count_that_falls_is_waited_for(stage: Stage) -> None:
    """It is the difference of two numbers that are not read at once."""
    count = Count()
    listener = opened(stage, count, 2, Backlog=1)
    await full(stage, listener, 1)
    for step in (1, -5, 5):
        count.add(step)
        await count.looked_at()
        assert (listener.statistics().paused, listener.statistics().refused) == (True, 1)
    count.add(1)
    await until(lambda: not listener.statistics().paused)
    assert listener.statistics().refused == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("at", ["the beginning of a pause", "a look"])
async def test_a_count_that_is_lost_makes_it_act(stage: Stage, at: str) -> None:
    """It is said, and the port does not stay shut."""
    count = Count()
    listener = opened(stage, count, 5, Backlog=1)
    with structlog.testing.capture_logs() as logs:
        if at == "a look":
            await full(stage, listener, 1)
        else:
            stage.connect(listener, 1)
        count.value = None
        await until(lambda: listener.statistics().protecting)
        assert not listener.statistics().paused
    assert [entry["event"] for entry in logs] == ["refusals_not_counted"]
    assert told(stage)[-1] == ("protection_began", "0 refused")
    later = stage.connect(listener, 2)
    await until(lambda: states(later) == {"reset": 2})


@pytest.mark.asyncio
async def test_without_a_count_it_does_not_open(tmp_path: Path) -> None:
    """The ways out are said."""
    settings = styled("exhausted")
    with (
        bind.bind("127.0.0.1", 0) as sock,
        pytest.raises(MachineError, match="TcpMaxPortsExhausted needs the counters"),
    ):
        ExhaustedListener(
            asyncio.get_running_loop(),
            sock,
            AcceptQueue(settings.afd, True),
            settings,
            lambda sock, peer: None,
            JournalFile(None, "front"),
            Count(None),
        )


@pytest.mark.asyncio
async def test_a_port_that_is_taken_when_it_begins_to_act_is_waited_for(stage: Stage) -> None:
    """Another listener may have the port while it is shut: tried until it is free."""
    count = Count()
    listener = opened(stage, count, 1, Backlog=1)
    await full(stage, listener, 1)
    with structlog.testing.capture_logs() as logs:
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind((listener.host, listener.port))
            thief.listen()
            count.add(1)
            await until(lambda: listener.statistics().protecting)
            assert listener.statistics().paused
        await until(lambda: not listener.statistics().paused)
    assert [entry["event"] for entry in logs] == ["listen_again_failed"]

    (client,) = stage.connect(listener, 1)
    await until(lambda: client.state == "reset")


@pytest.mark.asyncio
@pytest.mark.parametrize("acting", [False, True])
async def test_a_restart_begins_with_nothing(stage: Stage, acting: bool) -> None:
    """Neither the count nor the protection outlives a stop, and nobody looks meanwhile."""
    count = Count()
    listener = opened(stage, count, 2, Backlog=1)
    await full(stage, listener, 1)
    count.add(1 + acting)
    await until(lambda: listener.statistics().refused == 1 + acting)
    listener.stop()
    count.add(100)
    looks = count.looks
    await asyncio.sleep(10 * LOOK_EVERY)  # a look that were planned would come before this timer
    assert count.looks == looks
    assert len(stage.records(Pause)) == 1

    listener.start()
    assert (listener.statistics().protecting, listener.statistics().refused) == (False, 0)
    await full(stage, listener, 1)
    assert states(stage.connect(listener, 1)) == {"refused": 1}


@pytest.mark.asyncio
async def test_growth_ends_a_pause_without_protection(stage: Stage) -> None:
    """The grown queue has room, and what was refused stays counted."""
    count = Count()
    listener = opened(
        stage,
        count,
        5,
        Backlog=2,
        EnableDynamicBacklog=1,
        MinimumDynamicBacklog=1,
        MaximumDynamicBacklog=100,
        DynamicBacklogGrowthDelta=3,
        GrowthLag=1,
    )
    await full(stage, listener, 2)
    count.add(4)
    await until(lambda: len(stage.records(Pause)) == 1)
    assert (listener.statistics().protecting, listener.statistics().refused) == (False, 4)
    stage.connect(listener, 1)
    await until(lambda: seen(listener) == 3)


@pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode != 0,
    reason="unshare may not make a network namespace here",
)
def test_with_the_counters_of_the_kernel(tmp_path: Path) -> None:
    """Where nobody else is, four refused and twenty reset elsewhere are four, one more is five."""
    done = subprocess.run(
        [*ALONE, sys.executable, "-m", "tests.server.afd.alone_exhausted", str(tmp_path)],
        cwd=Path(__file__).parents[3],
        env={"PYTHONPATH": "server:.", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "before": {"refused": 4, "elsewhere": 20, "paused": True, "counted": 4},
        "after": {"refused": 5, "reset": 50, "paused": False, "counted": 5},
    }
