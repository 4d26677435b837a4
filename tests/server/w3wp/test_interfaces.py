"""The interface table: what the flag and the count have in common, at its bounds."""

import subprocess
import sys
from pathlib import Path

import pytest

from vaultstorm_server.w3wp.interfaces import (
    CleanUp,
    CountedEntries,
    Entries,
    Entry,
    FlaggedEntries,
    UnknownInterface,
    entries,
)

BOTH = pytest.mark.parametrize("kind", [FlaggedEntries, CountedEntries])
IDLE = 300.0
NOTHING = CleanUp(0, ())


def opened(table: Entries, name: str = "i", now: float = 0.0) -> Entry:
    """Open an interface for which there is room."""
    entry = table.open(name, now)
    assert entry is not None
    return entry


@pytest.mark.parametrize("TECH39579, kind", [(0, FlaggedEntries), (1, CountedEntries)])
def test_the_setting_chooses_the_table(TECH39579: int, kind: type[Entries]) -> None:
    """0 is the table as it was, 1 the one of hotfix 12, with the same limits."""
    table = entries(TECH39579, limit=1, idle_time=IDLE, memory=3)
    assert type(table) is kind
    assert len(opened(table).memory) == 3
    assert table.open("j", 0) is None
    assert table.clean_up(IDLE) == CleanUp(1, ())


def test_hotfix_12_replaces_three_methods() -> None:
    """The defect and its fix define the same three methods, and nothing else."""
    for kind in (FlaggedEntries, CountedEntries):
        own = {name for name, value in vars(kind).items() if callable(value)}
        assert own == {"_entered", "_left", "busy"}


@BOTH
@pytest.mark.parametrize("limit", [0, 1, 2, 5])
def test_the_table_takes_exactly_its_limit(kind: type[Entries], limit: int) -> None:
    """Every open up to the limit gets an entry, the next one None; size and peak count them."""
    table = kind(limit, IDLE)
    for number in range(limit):
        assert (table.size, table.peak) == (number, number)
        assert opened(table, f"i{number}").name == f"i{number}"
    for _ in range(2):
        assert table.open("more", 0) is None
    assert (table.size, table.peak) == (limit, limit)
    with pytest.raises(UnknownInterface):
        table.enter("more", 0)


@BOTH
def test_a_release_makes_room_and_the_peak_stays(kind: type[Entries]) -> None:
    """The room of a closed entry is given again by DoCleanUp, not by the close."""
    table = kind(2, IDLE)
    opened(table, "a")
    opened(table, "b")
    table.close("a", 1)
    assert (table.open("c", 1), table.size) == (None, 2)
    assert table.clean_up(1) == CleanUp(1, ())
    assert (table.size, table.peak) == (1, 2)
    opened(table, "c", 1)
    assert (table.size, table.peak) == (2, 2)


@BOTH
def test_a_name_is_free_again_once_its_entry_is_released(kind: type[Entries]) -> None:
    """Until then, closed or not, opening it again is refused; then it names another entry."""
    table = kind(2, IDLE)
    first = opened(table)
    with pytest.raises(ValueError, match="interface i is in the table"):
        table.open("i", 0)
    table.close("i", 0)
    with pytest.raises(ValueError, match="interface i is in the table"):
        table.open("i", 0)
    table.clean_up(0)
    assert opened(table) is not first
    assert table.enter("i", 0) is not first


@BOTH
def test_an_entry_is_open_and_empty_at_first(kind: type[Entries]) -> None:
    """Opening enters nothing; entering counts; its repr tells how it stands."""
    table = kind(1, IDLE)
    entry = opened(table, now=7.0)
    assert (entry.opened, entry.used, entry.inside, table.busy(entry)) == (7.0, 7.0, 0, False)
    assert repr(entry) == "<Entry i open inside=0 in_use=False references=0>"
    assert table.enter("i", 8.0) is entry
    assert (entry.opened, entry.used, entry.inside, table.busy(entry)) == (7.0, 8.0, 1, True)
    table.touch(entry)
    table.leave(entry, 9.0)
    assert (entry.opened, entry.used, entry.inside, table.busy(entry)) == (7.0, 9.0, 0, False)
    table.close("i", 10.0)
    assert (entry.used, repr(entry)) == (
        10.0,
        "<Entry i closed inside=0 in_use=False references=0>",
    )
    table.clean_up(10.0)
    assert repr(entry) == "<Entry i released inside=0 in_use=False references=0>"


@BOTH
@pytest.mark.parametrize("state", ["never opened", "closed", "released"])
def test_only_an_open_interface_is_entered_and_closed(kind: type[Entries], state: str) -> None:
    """Any other is unknown, to a second close as well, and nothing changes."""
    table = kind(1, IDLE)
    if state != "never opened":
        opened(table)
        table.close("i", 0)
    if state == "released":
        table.clean_up(0)
    size = table.size
    with pytest.raises(UnknownInterface, match=r"^i$"):
        table.enter("i", 0)
    with pytest.raises(UnknownInterface, match=r"^i$"):
        table.close("i", 0)
    assert table.size == size
    assert table.clean_up(IDLE).released == size


@BOTH
@pytest.mark.parametrize("idle_time", [0.0, 1.0, IDLE])
def test_an_entry_is_due_when_the_idle_time_is_reached(
    kind: type[Entries], idle_time: float
) -> None:
    """Just before it is kept, exactly then it is released; each use begins the time anew."""
    table = kind(1, idle_time)
    opened(table, now=100.0)
    assert table.clean_up(100.0 + idle_time - 0.5) == NOTHING
    table.leave(table.enter("i", 101.0), 102.0)
    assert table.clean_up(102.0 + idle_time - 0.5) == NOTHING
    assert table.clean_up(102.0 + idle_time) == CleanUp(1, ())
    assert table.clean_up(102.0 + idle_time) == NOTHING


@BOTH
def test_a_method_alone_is_safe_however_long_it_takes(kind: type[Entries]) -> None:
    """Without re-entrance the flag does what the count does: the entry outlives its idle time."""
    table = kind(1, IDLE)
    entry = opened(table)
    assert table.enter("i", 0) is entry
    assert table.clean_up(10 * IDLE) == NOTHING
    table.touch(entry)
    table.leave(entry, 10 * IDLE)
    assert table.clean_up(11 * IDLE - 1) == NOTHING
    assert table.clean_up(11 * IDLE) == CleanUp(1, ())


@BOTH
def test_what_was_handed_over_is_released_without_the_idle_time(kind: type[Entries]) -> None:
    """An interface that was closed, and one whose method failed, are due at once."""
    table = kind(3, IDLE)
    for name in "abc":
        opened(table, name)
    table.close("a", 0)
    table.leave(table.enter("b", 0), 0, failed=True)
    with pytest.raises(UnknownInterface):
        table.enter("b", 0)
    assert table.clean_up(0) == CleanUp(2, ())
    assert table.enter("c", 0).name == "c"


@BOTH
def test_a_closed_entry_waits_for_the_method_inside(kind: type[Entries]) -> None:
    """The method that was in before the close works on, and the run after its end releases."""
    table = kind(1, IDLE)
    entry = opened(table)
    table.enter("i", 0)
    table.close("i", 1)
    assert table.clean_up(2 * IDLE) == NOTHING
    table.touch(entry)
    table.leave(entry, 2 * IDLE)
    assert table.clean_up(2 * IDLE) == CleanUp(1, ())


@BOTH
@pytest.mark.parametrize("failures", [1, 2])
def test_a_closed_entry_is_not_handed_over_again(kind: type[Entries], failures: int) -> None:
    """Methods that fail on a closed entry change nothing: it is released once, none raises."""
    table = kind(1, IDLE)
    entry = opened(table)
    for _ in range(2):
        table.enter("i", 0)
    table.close("i", 0)
    table.leave(entry, 0, failed=True)
    table.leave(entry, 0, failed=failures == 2)
    assert table.clean_up(0) == CleanUp(1, ())
    assert table.clean_up(2 * IDLE) == NOTHING


@BOTH
def test_a_release_gives_the_memory_back(kind: type[Entries]) -> None:
    """An entry holds its memory until DoCleanUp releases it, closed or not."""
    table = kind(2, IDLE, memory=4096)
    closed, idle = opened(table, "a"), opened(table, "b")
    table.close("a", 0)
    assert (len(closed.memory), len(idle.memory)) == (4096, 4096)
    table.clean_up(0)
    assert (len(closed.memory), len(idle.memory)) == (0, 4096)
    table.clean_up(IDLE)
    assert len(idle.memory) == 0


def test_the_memory_is_real() -> None:
    """An entry makes its process larger by what it holds: its pages are touched."""
    code = """
import os
from vaultstorm_server.w3wp.interfaces import CountedEntries
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
table, before = CountedEntries(32, 1, memory=1 << 20), resident()
for number in range(32):
    table.open(str(number), 0)
print(resident() - before)
"""
    grown = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "server")},
        stdout=subprocess.PIPE,
        check=True,
        timeout=30,
    )
    assert int(grown.stdout) >= 32 << 20
