"""Calls on interfaces: the wait for an entry, and the chain of TECH39579 as it is noted."""

import contextlib
import threading
import time
from pathlib import Path

import pytest

from tests.server.w3wp.vaults import Made, code
from vaultstorm_server.w3wp.answers import Refused
from vaultstorm_server.w3wp.interfaces import ReleasedEntry, UnknownInterface


class Openers:
    """Threads that open an interface each."""

    def __init__(self, made: Made, count: int) -> None:
        self.names: list[str] = []
        self.threads = [
            threading.Thread(target=lambda: self.names.append(made.calls.open()), daemon=True)
            for _ in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def wait(self) -> None:
        """Wait until all have opened one."""
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


def until_waiting(made: Made, count: int) -> None:
    """Wait until so many threads wait for an entry."""
    while made.calls.waiting != count:
        pass


def test_names_are_unique(tmp_path: Path) -> None:
    """However many threads open at once, no two interfaces have one name."""
    made = Made(tmp_path)
    openers = Openers(made, 50)
    openers.wait()
    assert len(set(openers.names)) == 50


@pytest.mark.parametrize("full", [1, 3])
def test_an_open_waits_while_the_table_is_full(tmp_path: Path, full: int) -> None:
    """The one after the last entry waits until DoCleanUp has released one that was closed."""
    made = Made(tmp_path, MaxInterfaces=full, IsapiThreads=2)
    names = [made.calls.open() for _ in range(full)]
    assert "table_full" not in made.noted
    opener = Openers(made, 1)
    until_waiting(made, 1)
    made.calls.clean_up()
    assert made.calls.waiting == 1
    made.calls.close(names[0])
    assert made.calls.waiting == 1
    made.calls.clean_up()
    opener.wait()
    assert made.changes[-3:] == [(full, 1), (full - 1, 1), (full, 0)]
    assert made.noted == ["table_full"]
    assert made.waits >= 1


def test_the_pool_hangs_when_the_last_thread_waits(tmp_path: Path) -> None:
    """All but one is no hang; the last makes it one, and it is noted once."""
    made = Made(tmp_path, MaxInterfaces=1, IsapiThreads=3)
    name = made.calls.open()
    openers = Openers(made, 2)
    until_waiting(made, 2)
    assert made.noted == ["table_full"]
    openers.threads += Openers(made, 1).threads
    until_waiting(made, 3)
    assert made.notes == [
        ("table_full", made.notes[0][1]),
        ("pool_hung", "all 3 ISAPI threads wait for an entry"),
    ]
    made.calls.close(name)
    made.calls.clean_up()
    until_waiting(made, 2)
    assert len(made.notes) == 2


def test_a_second_method_inside_is_noted_once(tmp_path: Path) -> None:
    """Re-entrance is common; the chain begins with the first."""
    made = Made(tmp_path)
    name = made.calls.open()
    with made.calls.entered(name):
        assert not made.notes
        for _ in range(2):
            with made.calls.entered(name):
                pass
    assert made.notes == [("reentrance", f"2 methods are inside {name}")]


def test_a_refused_call_leaves_its_interface_open(tmp_path: Path) -> None:
    """What is wrong with a call is no exception of the method's."""
    made = Made(tmp_path)
    name = made.calls.open()
    with pytest.raises(Refused), made.calls.entered(name):
        raise Refused(404, "unknown_block", "no")
    with made.calls.entered(name):
        pass


def test_an_exception_closes_its_interface(tmp_path: Path) -> None:
    """Nobody knows in which state it is."""
    made = Made(tmp_path)
    name = made.calls.open()
    with pytest.raises(KeyError), made.calls.entered(name):
        raise KeyError
    with pytest.raises(UnknownInterface), made.calls.entered(name):
        pass


def chain(made: Made) -> tuple[str, bool]:
    """Run the article's interleaving up to the second run of DoCleanUp.

    Returns:
        The interface, and whether the second method's touch failed.
    """
    calls, failed = made.calls, False
    name = calls.open()
    try:
        with calls.entered(name) as second:
            with calls.entered(name):
                pass
            calls.clean_up()
            calls.touch(second)
    except ReleasedEntry:
        failed = True
    return name, failed


def test_the_chain_of_the_flag(tmp_path: Path) -> None:
    """Re-entrance, wrong release, touch, and a DoCleanUp that dies of its second release."""
    made = Made(tmp_path, InterfaceIdleTime=0)
    name, failed = chain(made)
    assert failed
    with pytest.raises(ReleasedEntry):
        made.calls.clean_up()
    assert made.noted == ["reentrance", "wrong_release", "released_entry_touched"]
    assert made.notes[1] == ("wrong_release", f"{name}, with 1 method inside")
    assert made.corrupted == [name]


def test_the_count_breaks_the_chain(tmp_path: Path) -> None:
    """Hotfix 12: the same calls, and the entry is released when the last method has left."""
    made = Made(tmp_path, TECH39579=1, InterfaceIdleTime=0)
    _, failed = chain(made)
    assert not failed
    assert made.calls.entries.size == 1
    made.calls.clean_up()
    assert made.calls.entries.size == 0
    assert made.noted == ["reentrance"]
    assert not made.corrupted


@pytest.mark.parametrize("TECH39579, status", [(0, 500), (1, 201)])
def test_a_method_whose_entry_is_released_answers_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, TECH39579: int, status: int
) -> None:
    """While the disk writes, another call comes and goes, and DoCleanUp runs: 500 without the fix.

    What was not acknowledged is not kept.
    """
    made = Made(tmp_path, TECH39579=TECH39579, InterfaceIdleTime=0, DiskRate=1)
    interface = made.open()

    def meanwhile(seconds: float) -> None:
        assert seconds == 5
        assert made.ask("GET", f"{interface}/snapshots/none").status == 404
        made.calls.clean_up()

    monkeypatch.setattr(time, "sleep", meanwhile)
    answer = made.put(interface, b"block")
    assert answer.status == status
    if status == 500:
        assert code(answer) == (500, "exception")
    assert made.store.statistics().blocks == TECH39579


def test_a_run_that_dies_wakes_whom_it_has_made_room_for(tmp_path: Path) -> None:
    """What it released before its exception is free, and whoever waits for an entry gets it."""
    made = Made(tmp_path, MaxInterfaces=3, IsapiThreads=1, InterfaceIdleTime=3600)
    calls = made.calls
    closed, twice, _ = (calls.open() for _ in range(3))
    with contextlib.suppress(ReleasedEntry), calls.entered(twice) as entry:
        with calls.entered(twice):
            pass
        calls.close(twice)
        calls.clean_up()
        calls.close(closed)
        calls.open()
        calls.touch(entry)
    opener = Openers(made, 1)
    until_waiting(made, 1)
    with pytest.raises(ReleasedEntry):
        calls.clean_up()
    opener.wait()
    assert made.changes[-2:] == [(2, 1), (3, 0)]
