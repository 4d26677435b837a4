"""The interface table under real threads, and under tasks that await inside their methods."""

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from random import Random
from threading import Barrier, Event

import pytest

from vaultstorm_server.w3wp.interfaces import (
    CleanUp,
    CountedEntries,
    Entries,
    Entry,
    FlaggedEntries,
    ReleasedEntry,
    UnknownInterface,
)

BOTH = pytest.mark.parametrize("kind", [FlaggedEntries, CountedEntries])
THREADS = 8
ROUNDS = 400
NAMES = 3
PATIENCE = 30.0
"""Seconds after which a gate that stays closed fails the test."""


@pytest.fixture(autouse=True)
def switches() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class Method:
    """A method in a thread of its own, with a gate before each thing it does."""

    def __init__(self, pool: ThreadPoolExecutor, table: Entries) -> None:
        self.gates = {step: Event() for step in ("enter", "touch", "leave")}
        self.inside = Event()
        self.done: Future[bool] = pool.submit(self._run, table)

    def _run(self, table: Entries) -> bool:
        """Tell whether it ended well."""
        assert self.gates["enter"].wait(PATIENCE)
        entry = table.enter("i", 0)
        self.inside.set()
        assert self.gates["touch"].wait(PATIENCE)
        try:
            table.touch(entry)
        except ReleasedEntry:
            table.leave(entry, 0, failed=True)
            return False
        assert self.gates["leave"].wait(PATIENCE)
        table.leave(entry, 0)
        return True

    def enter(self) -> None:
        """Let it enter, and see it inside."""
        self.gates["enter"].set()
        assert self.inside.wait(PATIENCE)

    def end(self) -> bool:
        """Let it touch and leave; tell whether it ended well."""
        self.gates["touch"].set()
        self.gates["leave"].set()
        return self.done.result(PATIENCE)


def died(clean_up: Future[CleanUp]) -> bool:
    """Tell whether a run of DoCleanUp ended by the exception."""
    return isinstance(clean_up.exception(PATIENCE), ReleasedEntry)


@BOTH
def test_two_threads_go_through_the_interleaving(kind: type[Entries]) -> None:
    """The flag ends the second method, then clean-up, and leaves the lock free; the count none."""
    flagged = kind is FlaggedEntries
    table = kind(1, 1.0)
    entry = table.open("i", 0)
    with ThreadPoolExecutor(3) as pool:
        first, second = Method(pool, table), Method(pool, table)
        first.enter()
        second.enter()
        assert first.end()
        wrongly = pool.submit(table.clean_up, 1.0).result(PATIENCE).wrongly
        assert wrongly == ((entry,) if flagged else ())
        assert second.end() is not flagged
        assert died(pool.submit(table.clean_up, 2.0)) is flagged
        # another thread takes the lock: it waits for ever if it is not free
        after = pool.submit(table.open, "after", 2.0).result(PATIENCE)
        assert after is not None
        assert pool.submit(table.enter, "after", 2.0).result(PATIENCE) is after


@BOTH
def test_threads_that_open_at_once_share_the_limit(kind: type[Entries]) -> None:
    """Of eight that race for five entries exactly five get one."""
    for _ in range(20):
        table = kind(5, 1.0)
        barrier = Barrier(THREADS)

        def one(number: int, table: Entries = table, barrier: Barrier = barrier) -> bool:
            barrier.wait(PATIENCE)
            return table.open(f"i{number}", 0) is not None

        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(one, range(THREADS))) == 5
        assert (table.size, table.peak) == (5, 5)


def test_one_of_the_threads_that_close_at_once_does() -> None:
    """The others meet an unknown interface, and the entry is released once."""
    for _ in range(20):
        table = CountedEntries(1, 1.0)
        table.open("i", 0)
        barrier = Barrier(THREADS)

        def close(_: int, table: Entries = table, barrier: Barrier = barrier) -> bool:
            barrier.wait(PATIENCE)
            try:
                table.close("i", 0)
            except UnknownInterface:
                return False
            return True

        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(close, range(THREADS))) == 1
        assert table.clean_up(0) == CleanUp(1, ())


class Agent:
    """Opens, enters, touches, leaves and closes a few interfaces that all agents share."""

    def __init__(self, table: Entries, seed: int) -> None:
        self.table = table
        self.random = Random(seed)
        self.opened = 0

    def enter(self, name: str) -> Entry | None:
        """Enter an interface, or else see that there will be one."""
        try:
            return self.table.enter(name, 0)
        except UnknownInterface:
            pass
        with suppress(ValueError):  # closed, and not released yet; or another agent was first
            self.opened += self.table.open(name, 0) is not None
        return None

    def run(self) -> int:
        """Run methods; give the number of entries it opened."""
        for _ in range(ROUNDS):
            name = f"i{self.random.randrange(NAMES)}"
            entry = self.enter(name)
            if entry is None:
                continue
            for _ in range(3):
                self.table.touch(entry)
                assert not entry.released
            if self.random.random() < 0.1:
                self.close(name)
                self.table.touch(entry)
            self.table.leave(entry, 0, failed=self.random.random() < 0.1)
        return self.opened

    def close(self, name: str) -> None:
        """Close an interface that another agent may have closed before."""
        with suppress(UnknownInterface):
            self.table.close(name, 0)


def test_count_threads_never_lose_an_entry_that_they_are_inside_of() -> None:
    """Eight threads and a DoCleanUp that never rests: no exception, and nothing is left over.

    With an idle time of 0 an entry is due whenever it is not busy.
    """
    table = CountedEntries(NAMES, 0.0, memory=16)
    over = Event()

    def clean_up() -> int:
        released = 0
        while not over.is_set():
            done = table.clean_up(0)
            assert done.wrongly == ()
            released += done.released
        return released

    with ThreadPoolExecutor(THREADS + 1) as pool:
        cleaner = pool.submit(clean_up)
        agents = [pool.submit(Agent(table, seed).run) for seed in range(THREADS)]
        try:
            opened = sum(agent.result(PATIENCE) for agent in agents)
        finally:
            over.set()
        released = cleaner.result(PATIENCE)
    last = table.clean_up(0)
    assert (table.size, last.wrongly) == (0, ())
    assert opened == released + last.released > NAMES
    assert table.peak <= NAMES


@BOTH
@pytest.mark.asyncio
async def test_tasks_re_enter_while_a_method_awaits(kind: type[Entries]) -> None:
    """One thread is enough: of two tasks inside, the flag loses the one that awaits longer."""
    table = kind(1, 1.0)
    table.open("i", 0)
    gates = [asyncio.Event(), asyncio.Event()]

    async def method(gate: asyncio.Event) -> bool:
        entry = table.enter("i", 0)
        await gate.wait()
        try:
            table.touch(entry)
        except ReleasedEntry:
            table.leave(entry, 1.0, failed=True)
            return False
        table.leave(entry, 0)
        return True

    flagged = kind is FlaggedEntries
    async with asyncio.TaskGroup() as group:
        first, second = (group.create_task(method(gate)) for gate in gates)
        await asyncio.sleep(0)
        gates[0].set()
        assert await first
        assert table.clean_up(1.0).released == flagged
        gates[1].set()
        assert await second is not flagged
    if flagged:
        with pytest.raises(ReleasedEntry):
            table.clean_up(1.0)
    else:
        assert table.clean_up(1.0) == CleanUp(1, ())


@pytest.mark.asyncio
async def test_count_tasks_that_await_anywhere_never_lose_their_entry() -> None:
    """Twenty tasks switch at every step of their methods beside a DoCleanUp that never rests."""
    table = CountedEntries(NAMES, 0.0)
    names = count()

    async def agent(random: Random) -> None:
        for _ in range(60):
            name = f"i{next(names)}"
            if table.open(name, 0) is None:
                await asyncio.sleep(0)
                continue
            entry = table.enter(name, 0)
            async with asyncio.TaskGroup() as methods:
                for _ in range(random.randrange(4)):
                    methods.create_task(method(name, random.randrange(4)))
                await asyncio.sleep(0)
            table.touch(entry)
            table.close(name, 0)
            table.leave(entry, 0)

    async def method(name: str, turns: int) -> None:
        entry = table.enter(name, 0)
        for _ in range(turns):
            await asyncio.sleep(0)
            table.touch(entry)
        table.leave(entry, 0)

    async def clean_up() -> None:
        while True:
            assert table.clean_up(0).wrongly == ()
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        cleaner = group.create_task(clean_up())
        async with asyncio.TaskGroup() as agents:
            for seed in range(20):
                agents.create_task(agent(Random(seed)))
        cleaner.cancel()
    table.clean_up(0)
    assert (table.size, table.peak) == (0, NAMES)
