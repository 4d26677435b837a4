"""The interface table of hotfix 12 under any order of events, against a model of it."""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vaultstorm_server.w3wp.interfaces import CleanUp, CountedEntries, Entry, UnknownInterface

MEMORY = 5
NAMES = [f"i{number}" for number in range(4)]
"""More than there is room for, and given again and again."""


@dataclass(eq=False)
class Interface:
    """What the model knows of an entry."""

    entry: Entry
    used: float
    inside: int = 0
    closed: bool = False


class AnyOrder(RuleBasedStateMachine):
    """DoCleanUp releases exactly what nobody is inside of and is closed or idle; none else raises.

    Every time is a whole number of seconds, so that the idle time is often reached exactly.
    """

    @initialize(limit=st.integers(1, 4), idle_time=st.integers(0, 3))
    def begin(self, limit: int, idle_time: int) -> None:
        """Make the table."""
        self.limit, self.idle_time = limit, float(idle_time)
        self.table = CountedEntries(limit, self.idle_time, MEMORY)
        self.now = 0.0
        self.standing: dict[str, Interface] = {}
        self.methods: list[Interface] = []
        self.gone: list[Interface] = []
        self.peak = 0

    def is_open(self, name: str) -> bool:
        """Tell whether a method may enter."""
        return name in self.standing and not self.standing[name].closed

    @rule(name=st.sampled_from(NAMES))
    def open(self, name: str) -> None:
        """An agent opens an interface."""
        if name in self.standing:
            with pytest.raises(ValueError, match=name):
                self.table.open(name, self.now)
            return
        entry = self.table.open(name, self.now)
        assert (entry is None) == (len(self.standing) == self.limit)
        if entry is not None:
            self.standing[name] = Interface(entry, self.now)
            self.peak = max(self.peak, len(self.standing))

    @rule(name=st.sampled_from(NAMES))
    def enter(self, name: str) -> None:
        """A method enters, however many are inside."""
        if not self.is_open(name):
            with pytest.raises(UnknownInterface):
                self.table.enter(name, self.now)
            return
        interface = self.standing[name]
        assert self.table.enter(name, self.now) is interface.entry
        interface.inside += 1
        interface.used = self.now
        self.methods.append(interface)

    @precondition(lambda self: self.methods)
    @rule(data=st.data(), failed=st.booleans())
    def leave(self, data: st.DataObject, failed: bool) -> None:
        """A method leaves, well or by an exception."""
        interface = self.methods.pop(data.draw(st.integers(0, len(self.methods) - 1)))
        self.table.leave(interface.entry, self.now, failed)
        interface.inside -= 1
        interface.used = self.now
        interface.closed |= failed

    @rule(name=st.sampled_from(NAMES))
    def close(self, name: str) -> None:
        """An agent closes an interface, with methods inside or without."""
        if not self.is_open(name):
            with pytest.raises(UnknownInterface):
                self.table.close(name, self.now)
            return
        self.table.close(name, self.now)
        self.standing[name].used = self.now
        self.standing[name].closed = True

    @rule(seconds=st.integers(1, 3))
    def time_passes(self, seconds: int) -> None:
        """Nothing happens for a while."""
        self.now += seconds

    @rule()
    def clean_up(self) -> None:
        """DoCleanUp runs: it releases what is unreferenced and due, all of it, and nothing else."""
        due = [
            name
            for name, interface in self.standing.items()
            if not interface.inside
            and (interface.closed or self.now - interface.used >= self.idle_time)
        ]
        assert self.table.clean_up(self.now) == CleanUp(len(due), ())
        self.gone += [self.standing.pop(name) for name in due]
        assert self.table.clean_up(self.now) == CleanUp(0, ())

    @invariant()
    def every_method_inside_has_its_entry(self) -> None:
        """No touch raises, and every method counts as one reference."""
        for interface in self.methods:
            self.table.touch(interface.entry)
        for interface in self.standing.values():
            entry = interface.entry
            assert entry.references == entry.inside == interface.inside
            assert (entry.released, len(entry.memory)) == (False, MEMORY)
            assert self.table.busy(entry) == (interface.inside > 0)

    @invariant()
    def what_is_released_holds_nothing(self) -> None:
        """Its memory is given back; room and peak count what stands."""
        for interface in self.gone:
            entry = interface.entry
            assert (entry.references, entry.released, entry.memory) == (0, True, b"")
        assert (self.table.size, self.table.peak) == (len(self.standing), self.peak)

    def teardown(self) -> None:
        """Once all methods have left and the idle time is past, nothing stays in the table."""
        if not hasattr(self, "table"):
            return
        while self.methods:
            self.table.leave(self.methods.pop().entry, self.now)
        self.table.clean_up(self.now + self.idle_time)
        assert self.table.size == 0


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True
)
