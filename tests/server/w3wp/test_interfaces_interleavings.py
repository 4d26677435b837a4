"""The shortest interleaving that shows the defect of the flag: found, proved and written down."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final, NamedTuple

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from vaultstorm_server.w3wp.interfaces import (
    CountedEntries,
    Entries,
    FlaggedEntries,
    ReleasedEntry,
)

IDLE: Final = 1.0
METHODS: Final = 3


class Step(NamedTuple):
    """What happens to the one entry: `method` (1, 2, ...) enters, touches or leaves it.

    DoCleanUp (as the agent's close) is nobody's; each run finds the idle time past.
    """

    verb: str
    method: int = 0


ENTERS: Final = "enters"
TOUCHES: Final = "touches"
LEAVES: Final = "leaves"
CLOSE: Final = Step("close")
DO_CLEAN_UP: Final = Step("DoCleanUp")


class State(NamedTuple):
    """The entry after a step, and what the step came to.

    Attributes:
        mark: the flag, or the count.
        inside: methods inside, as a debugger would count them.
        released: whether it is out of the table.
        came_to: `released` n entries, or the exception; empty: nothing to tell.
    """

    mark: bool | int
    inside: int
    released: bool
    came_to: str = ""


THE_INTERLEAVING: Final = [
    # step               FlaggedEntries: in_use               CountedEntries: references
    (Step(ENTERS, 1), State(True, 1, False), State(1, 1, False)),
    (Step(ENTERS, 2), State(True, 2, False), State(2, 2, False)),
    (Step(LEAVES, 1), State(False, 1, False), State(1, 1, False)),
    (DO_CLEAN_UP, State(False, 1, True, "released 1"), State(1, 1, False, "released 0")),
    (Step(TOUCHES, 2), State(False, 0, True, "ReleasedEntry"), State(1, 1, False)),
    (DO_CLEAN_UP, State(False, 0, True, "ReleasedEntry"), State(1, 1, False, "released 0")),
]
"""A method that meets the exception leaves by it: that is one step. Kept in step with
docs/reference/vault.md, which tells it in words."""

STEPS: Final = [step for step, _, _ in THE_INTERLEAVING]
MIRRORED: Final = [*STEPS[:2], Step(LEAVES, 2), DO_CLEAN_UP, Step(TOUCHES, 1), DO_CLEAN_UP]
"""The second method is the first to leave: the one other interleaving of that length."""


class Replay:
    """One entry, and the steps that were done to it."""

    def __init__(self, kind: type[Entries]) -> None:
        self.table = kind(1, IDLE)
        entry = self.table.open("i", 0.0)
        assert entry is not None
        self.entry = entry
        self.now = 0.0
        self.entered = 0
        self.inside: list[int] = []
        self.wrongly_released = False
        self.clean_up_died = False

    def possible(self, methods: int) -> list[Step]:
        """Every step that can come next, the simplest first.

        Methods enter once each, in the order of their numbers: other names are no other orders.
        """
        steps = [Step(verb, method) for verb in (LEAVES, TOUCHES) for method in self.inside]
        if not self.clean_up_died:
            steps.append(DO_CLEAN_UP)
        if not self.entry.closed and not self.entry.released:
            steps.append(CLOSE)
            if self.entered < methods:
                steps.insert(0, Step(ENTERS, self.entered + 1))
        return steps

    def do(self, step: Step) -> str:
        """Do what is possible, and tell what it came to."""
        match step.verb:
            case "enters":
                self.entered += 1
                self.inside.append(step.method)
                assert self.table.enter("i", self.now) is self.entry
            case "touches":
                return self._touch(step.method)
            case "leaves":
                self.inside.remove(step.method)
                self.table.leave(self.entry, self.now)
            case "close":
                self.table.close("i", self.now)
            case "DoCleanUp":
                return self._clean_up()
        return ""

    def _touch(self, method: int) -> str:
        try:
            self.table.touch(self.entry)
        except ReleasedEntry:
            self.inside.remove(method)
            self.table.leave(self.entry, self.now, failed=True)
            return "ReleasedEntry"
        return ""

    def _clean_up(self) -> str:
        self.now += IDLE
        try:
            done = self.table.clean_up(self.now)
        except ReleasedEntry:
            self.clean_up_died = True
            return "ReleasedEntry"
        self.wrongly_released |= bool(done.wrongly)
        return f"released {done.released}"


def replay(kind: type[Entries], steps: list[Step]) -> Replay:
    """Do all the steps, in order."""
    replayed = Replay(kind)
    for step in steps:
        replayed.do(step)
    return replayed


def interleavings(kind: type[Entries], length: int) -> Iterator[list[Step]]:
    """Every interleaving of that many steps."""
    if length == 0:
        yield []
        return
    for before in interleavings(kind, length - 1):
        for step in replay(kind, before).possible(METHODS):
            yield [*before, step]


CHOICES: Final = (
    "nothing",
    ENTERS,
    f"{LEAVES} first",
    f"{LEAVES} last",
    f"{TOUCHES} first",
    f"{TOUCHES} last",
    DO_CLEAN_UP.verb,
    CLOSE.verb,
)
"""What Hypothesis draws from, the simplest first. `first` and `last` of those inside, not a number:
so that what it takes away in shrinking leaves the rest as it is."""


def chosen(choices: list[str]) -> list[Step]:
    """Make the steps that are possible of what was drawn."""
    replayed = Replay(FlaggedEntries)
    steps: list[Step] = []
    for verb, _, which in (choice.partition(" ") for choice in choices):
        possible = [step for step in replayed.possible(METHODS) if step.verb == verb]
        if possible:
            steps.append(possible[-1 if which == "last" else 0])
            replayed.do(steps[-1])
    return steps


def wrongly_released(replayed: Replay) -> bool:
    """Tell whether DoCleanUp released an entry with a method inside."""
    return replayed.wrongly_released


def clean_up_died(replayed: Replay) -> bool:
    """Tell whether DoCleanUp met the exception."""
    return replayed.clean_up_died


@pytest.mark.parametrize("kind", [FlaggedEntries, CountedEntries])
def test_the_interleaving_goes_as_written(kind: type[Entries]) -> None:
    """After each step the table stands as the literal says, for the flag and for the count."""
    replayed = Replay(kind)
    for step, flag, count in THE_INTERLEAVING:
        came_to = replayed.do(step)
        entry = replayed.entry
        flagged = kind is FlaggedEntries
        mark = entry.in_use if flagged else entry.references
        expected = flag if flagged else count
        assert State(mark, entry.inside, entry.released, came_to) == expected, step


def test_the_same_steps_leave_the_count_right() -> None:
    """The second method ends as it should, and the next run releases the entry, once."""
    replayed = replay(CountedEntries, STEPS)
    assert replayed.inside == [2]
    assert replayed.do(Step(TOUCHES, 2)) == ""
    assert replayed.do(Step(LEAVES, 2)) == ""
    assert replayed.do(DO_CLEAN_UP) == "released 1"
    assert replayed.do(DO_CLEAN_UP) == "released 0"
    assert not replayed.wrongly_released


@pytest.mark.parametrize(
    "goal, length",
    [pytest.param(wrongly_released, 4, id="release"), pytest.param(clean_up_died, 6, id="death")],
)
def test_no_interleaving_is_shorter(goal: Callable[[Replay], bool], length: int) -> None:
    """Of all with up to three methods and a close, none gets there earlier, and only it does."""
    for shorter in range(length):
        for steps in interleavings(FlaggedEntries, shorter):
            assert not goal(replay(FlaggedEntries, steps)), steps
    shortest = [
        steps
        for steps in interleavings(FlaggedEntries, length)
        if goal(replay(FlaggedEntries, steps))
    ]
    assert shortest == [STEPS[:length], MIRRORED[:length]]


def test_no_interleaving_of_that_length_harms_the_count() -> None:
    """None of them makes DoCleanUp release an entry in use or raise, nor a method fail."""
    count = 0
    for steps in interleavings(CountedEntries, len(STEPS)):
        count += 1
        replayed = replay(CountedEntries, steps)
        assert not replayed.wrongly_released, steps
        assert not replayed.clean_up_died, steps
        assert len(replayed.inside) == replayed.entry.references == replayed.entry.inside, steps
    assert count > 1000


def test_hypothesis_finds_the_interleaving() -> None:
    """Random steps that end clean-up, shrunk, are exactly those that are written down."""
    shrunk = find(
        st.lists(st.sampled_from(CHOICES), min_size=16, max_size=16).map(chosen),
        lambda steps: clean_up_died(replay(FlaggedEntries, steps)),
        settings=settings(max_examples=20_000, database=None, deadline=None),
        random=Random(1),
    )
    assert shrunk == STEPS


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.data())
def test_without_reentrance_the_flag_is_right(data: st.DataObject) -> None:
    """As long as one method at a time is inside, flag and count do the same at every step."""
    flagged, counted = Replay(FlaggedEntries), Replay(CountedEntries)
    for _ in range(data.draw(st.integers(1, 30))):
        methods = flagged.entered if flagged.inside else 30
        possible = flagged.possible(methods)
        assert possible == counted.possible(methods)
        step = data.draw(st.sampled_from(possible))
        assert flagged.do(step) == counted.do(step)
        assert flagged.table.busy(flagged.entry) == counted.table.busy(counted.entry)
        assert not flagged.wrongly_released
