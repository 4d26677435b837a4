"""Calls on interfaces: each enters its entry, works, and leaves; an opening one waits for room.

It adds to the pure table what needs threads: the wait of an open while the table is full, which
holds its ISAPI thread, and what the journal is told of the chain of TECH39579.
"""

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from vaultstorm_server import clock
from vaultstorm_server.w3wp.answers import Refused
from vaultstorm_server.w3wp.interfaces import Entries, Entry, ReleasedEntry

Note = Callable[[str, str], None]
Changed = Callable[[int, int], None]


class InterfaceCalls:
    """The table of one worker process, as its ISAPI threads use it.

    Args:
        entries: the table.
        threads: Vault.IsapiThreads.
        note: is told each step towards the hang: the name of the event, and a detail.
        changed: is told the entries of the table, and the threads that wait for one.
        corrupted: called when a method has touched an entry that was released under it.
        waiting: what a thread is inside of while it waits.
    """

    def __init__(
        self,
        entries: Entries,
        threads: int,
        note: Note,
        changed: Changed,
        corrupted: Callable[[str], None],
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._entries = entries
        self._threads = threads
        self._note = note
        self._changed = changed
        self._corrupted = corrupted
        self._may_wait = waiting
        self._room = threading.Condition()
        self._waiting = 0
        self._numbers = itertools.count(1)
        self._noted: set[str] = set()
        self._pid = os.getpid()

    @property
    def entries(self) -> Entries:
        """The table."""
        return self._entries

    @property
    def waiting(self) -> int:
        """Threads that wait for an entry."""
        return self._waiting

    def open(self) -> str:
        """Open an interface, and give its name. Waits for as long as the table is full."""
        name = f"{self._pid:x}-{next(self._numbers):x}"
        with self._room:
            while self._entries.open(name, clock.now()) is None:
                self._wait(name)
            self._changed(self._entries.size, self._waiting)
        return name

    @contextmanager
    def entered(self, name: str) -> Iterator[Entry]:
        """Run a method inside an interface.

        A method that ends in an exception leaves its interface in a state that nobody knows: it is
        closed. One that refuses its call (`Refused`) ends as it should.

        Raises:
            UnknownInterface: there is none of that name.
        """
        entry = self._entries.enter(name, clock.now())
        if entry.inside > 1:
            self._note_first("reentrance", f"{entry.inside} methods are inside {entry.name}")
        failed = True
        try:
            yield entry
            failed = False
        except Refused:
            failed = False
            raise
        finally:
            self._entries.leave(entry, clock.now(), failed)

    def touch(self, entry: Entry) -> None:
        """Use the entry that a method is inside of.

        Raises:
            ReleasedEntry: it has been released meanwhile.
        """
        try:
            self._entries.touch(entry)
        except ReleasedEntry:
            self._note("released_entry_touched", f"{entry.name}, by a method inside it")
            self._corrupted(entry.name)
            raise

    def close(self, name: str) -> None:
        """Close an interface; DoCleanUp releases its entry.

        Raises:
            UnknownInterface: there is none of that name.
        """
        self._entries.close(name, clock.now())

    def clean_up(self) -> None:
        """Do one run of DoCleanUp.

        Raises:
            ReleasedEntry: it came to release an entry that has been released before.
        """
        before = self._entries.size
        try:
            for entry in self._entries.clean_up(clock.now()).wrongly:
                inside = f"{entry.inside} method{'s' * (entry.inside > 1)} inside"
                self._note("wrong_release", f"{entry.name}, with {inside}")
        finally:  # a run that dies has released what it came to before
            if self._entries.size != before:
                with self._room:
                    self._room.notify_all()
                    self._changed(self._entries.size, self._waiting)

    def _wait(self, name: str) -> None:
        self._waiting += 1
        self._changed(self._entries.size, self._waiting)
        size = self._entries.size
        self._note_first("table_full", f"all {size} entries are taken: {name} waits for one")
        if self._waiting == self._threads:
            self._note_first("pool_hung", f"all {self._threads} ISAPI threads wait for an entry")
        with self._may_wait():
            self._room.wait()
        self._waiting -= 1

    def _note_first(self, name: str, detail: str) -> None:
        """Note what happens again and again once: the chain is told by what came first."""
        if name not in self._noted:
            self._noted.add(name)
            self._note(name, detail)
