"""The defect of the interface table step by step (TECH39579), and the fix beside it."""

import pytest

from vaultstorm_server.w3wp.interfaces import (
    CleanUp,
    CountedEntries,
    Entries,
    Entry,
    FlaggedEntries,
    ReleasedEntry,
)

IDLE = 300.0
NOTHING = CleanUp(0, ())


def opened(table: Entries, name: str = "i", now: float = 0.0) -> Entry:
    """Open an interface for which there is room."""
    entry = table.open(name, now)
    assert entry is not None
    return entry


def reentered(table: Entries) -> Entry:
    """Enter one entry twice, and let one of both methods leave."""
    entry = opened(table)
    table.enter("i", 0)
    table.enter("i", 0)
    assert table.busy(entry)
    table.leave(entry, 0)
    assert entry.inside == 1
    return entry


def test_flag_the_first_method_to_leave_resets_it_for_all() -> None:
    """Step 1: a method is inside an entry that is not busy."""
    table = FlaggedEntries(1, IDLE)
    entry = reentered(table)
    assert (entry.in_use, table.busy(entry)) == (False, False)


def test_flag_clean_up_releases_the_entry_under_a_method() -> None:
    """Step 2: DoCleanUp releases it once it is idle, and says which method it did that to."""
    table = FlaggedEntries(1, IDLE, memory=9)
    entry = reentered(table)
    assert table.clean_up(IDLE - 1) == NOTHING
    assert table.clean_up(IDLE) == CleanUp(1, (entry,))
    assert (entry.released, entry.inside, entry.memory, table.size) == (True, 1, b"", 0)


def test_flag_the_method_meets_the_exception_at_its_next_touch() -> None:
    """Step 3: its entry is gone, also if another has been given the name since."""
    table = FlaggedEntries(1, IDLE)
    entry = reentered(table)
    table.clean_up(IDLE)
    with pytest.raises(ReleasedEntry, match=r"^i$"):
        table.touch(entry)
    table.touch(opened(table))
    with pytest.raises(ReleasedEntry, match=r"^i$"):
        table.touch(entry)


@pytest.mark.parametrize("again", [False, True])
def test_flag_the_second_release_raises(again: bool) -> None:
    """Step 4: handed over by the failed method it is released twice; what has its name is safe."""
    table = FlaggedEntries(1, IDLE)
    entry = reentered(table)
    table.clean_up(IDLE)
    if again:
        opened(table, now=IDLE)
    table.leave(entry, IDLE, failed=True)
    with pytest.raises(ReleasedEntry, match=r"^i$"):
        table.clean_up(IDLE)
    assert table.size == again
    if again:
        table.touch(table.enter("i", IDLE))


def test_flag_no_entry_is_released_any_more_and_the_table_fills() -> None:
    """Step 5: the lock is free, calls go on, and every further run fails at the same entry."""
    table = FlaggedEntries(3, IDLE)
    entry = reentered(table)
    table.clean_up(IDLE)
    table.leave(entry, IDLE, failed=True)
    for number in range(3):
        with pytest.raises(ReleasedEntry):
            table.clean_up(number * IDLE)
        opened(table, f"{number}", IDLE)
        table.leave(table.enter(f"{number}", IDLE), IDLE)
        table.close(f"{number}", IDLE)
    assert table.open("more", IDLE) is None
    with pytest.raises(ReleasedEntry):
        table.clean_up(100 * IDLE)
    assert (table.size, table.peak) == (3, 3)


def test_flag_what_was_released_before_the_exception_stays_released() -> None:
    """A run goes by the order of handing over, then to the idle, and ends where it fails."""
    table = FlaggedEntries(4, IDLE)
    entry = reentered(table)
    table.clean_up(IDLE)
    before, after, idle = (opened(table, name) for name in ("before", "after", "idle"))
    table.close("before", 0)
    table.leave(entry, 0, failed=True)
    table.close("after", 0)
    with pytest.raises(ReleasedEntry, match=r"^i$"):
        table.clean_up(IDLE)
    assert (before.released, after.released, idle.released) == (True, False, False)
    assert table.size == 2


def test_flag_a_method_that_does_not_touch_again_sees_nothing() -> None:
    """It leaves a released entry like any other, nothing is handed over, clean-up lives."""
    table = FlaggedEntries(1, IDLE)
    entry = reentered(table)
    table.clean_up(IDLE)
    table.leave(entry, IDLE)
    assert (entry.inside, table.clean_up(2 * IDLE)) == (0, NOTHING)


def test_flag_two_methods_hand_one_entry_over_once() -> None:
    """Of two that fail on it the second changes nothing."""
    table = FlaggedEntries(1, IDLE)
    entry = opened(table)
    for _ in range(3):
        table.enter("i", 0)
    table.leave(entry, 0)
    assert table.clean_up(IDLE).wrongly == (entry,)
    for _ in range(2):
        table.leave(entry, IDLE, failed=True)
    assert (entry.inside, entry.closed) == (0, True)
    with pytest.raises(ReleasedEntry):
        table.clean_up(IDLE)


def test_flag_a_closed_entry_goes_the_same_way() -> None:
    """Released under a method because it was closed, it is handed over again when that fails."""
    table = FlaggedEntries(1, IDLE)
    entry = reentered(table)
    table.close("i", 0)
    assert table.clean_up(0).wrongly == (entry,)
    assert table.clean_up(0) == NOTHING
    table.leave(entry, 0, failed=True)
    with pytest.raises(ReleasedEntry):
        table.clean_up(0)


def test_flag_a_failed_or_closed_entry_is_released_under_a_method_at_once() -> None:
    """Handed over with the flag reset it is due without the idle time."""
    table = FlaggedEntries(2, IDLE)
    closed = reentered(table)
    table.close("i", 0)
    failed = opened(table, "j")
    table.enter("j", 0)
    table.enter("j", 0)
    table.leave(failed, 0, failed=True)
    assert table.clean_up(0) == CleanUp(2, (closed, failed))


@pytest.mark.parametrize("ending", ["returns", "fails", "closed"])
def test_count_the_same_steps_end_well(ending: str) -> None:
    """However the first method ended, the entry stays until the second has left, then it goes."""
    table = CountedEntries(1, IDLE)
    entry = opened(table)
    table.enter("i", 0)
    table.enter("i", 0)
    table.leave(entry, 0, failed=ending == "fails")
    if ending == "closed":
        table.close("i", 0)
    assert (entry.references, table.busy(entry)) == (1, True)
    assert table.clean_up(5 * IDLE) == NOTHING
    table.touch(entry)
    table.leave(entry, 5 * IDLE, failed=ending == "fails")
    assert (entry.references, table.busy(entry)) == (0, False)
    assert table.clean_up(6 * IDLE) == CleanUp(1, ())
    assert table.clean_up(7 * IDLE) == NOTHING
    assert (entry.released, table.size) == (True, 0)


@pytest.mark.parametrize("methods", [1, 2, 3, 100])
def test_count_the_last_method_to_leave_sets_it_free(methods: int) -> None:
    """With N methods inside it is busy until the N-th has left."""
    table = CountedEntries(1, IDLE)
    entry = opened(table)
    for _ in range(methods):
        table.enter("i", 0)
    for _ in range(methods):
        assert table.clean_up(2 * IDLE) == NOTHING
        table.touch(entry)
        table.leave(entry, 0)
    assert table.clean_up(IDLE) == CleanUp(1, ())
