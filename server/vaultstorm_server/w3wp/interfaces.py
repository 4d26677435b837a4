"""The interface table: who is inside an entry, and when DoCleanUp may release it (TECH39579).

An agent opens an interface and runs methods on it, several at once. Each method enters the entry,
touches it while it works, and leaves it. Nobody but the periodic DoCleanUp releases an entry: one
that was handed over for release (its agent closed it, or a method on it failed), and one that no
method has entered or left for the idle time. It spares an entry that is *busy*, and what busy means
is all that hotfix 12 changed: `FlaggedEntries` has the `in use` flag as it was, `CountedEntries`
the reference count.

A released entry is out of the table, which is all there is to its end. A method that is still
inside finds that at its next touch, and DoCleanUp finds it when the entry of that failed method is
handed over: both get `ReleasedEntry`, the stand-in for the article's C++ exception. The entry stays
handed over, so that another run would fail at it again: with the run that met it, all clean-up is
over, whether its thread ends or not.

One lock guards the table. It is free after a run that failed, as a scoped lock of C++ is when the
exception unwinds its frame. The article decides that: were it held for ever, the very next call
would hang and all of them with it, at once, with no entry leaked. It tells of a leak first and of a
pool that hangs "after awhile".

The article names the flag, DoCleanUp, the exception and their order. No source gives the idle time,
the order within a run, or the step from the failed method to the exception in DoCleanUp: that it
releases the entry a second time is our reading.
"""

import threading
from abc import ABC, abstractmethod
from typing import NamedTuple


class UnknownInterface(Exception):
    """No such interface is open: it never was, or it is closed, or it has been released."""


class ReleasedEntry(Exception):
    """An entry was touched, or released, that had been released before: the C++ exception.

    You do not get one for entering such an entry: that is `UnknownInterface`.
    """


class Entry:
    """An interface entry item: what the table keeps of one open interface.

    Attributes:
        name: of the interface.
        opened: when it was opened, in seconds.
        used: when it was opened or closed, or a method last entered or left it, in seconds.
        inside: methods inside, as a debugger would count them; decides nothing.
        in_use: the flag, which `FlaggedEntries` go by.
        references: the count, which `CountedEntries` go by.
        closed: it was handed over for release, and no method may enter it.
        released: DoCleanUp has released it; decides nothing, the table does.
        memory: what it holds until then.
    """

    __slots__ = (
        "closed",
        "in_use",
        "inside",
        "memory",
        "name",
        "opened",
        "references",
        "released",
        "used",
    )

    def __init__(self, name: str, now: float, memory: int) -> None:
        self.name = name
        self.opened = now
        self.used = now
        self.inside = 0
        self.in_use = False
        self.references = 0
        self.closed = False
        self.released = False
        # written, not only reserved: pages that nobody touched are no private memory
        self.memory = b"\xff" * memory

    def __repr__(self) -> str:
        state = "released" if self.released else "closed" if self.closed else "open"
        return (
            f"<Entry {self.name} {state} inside={self.inside} in_use={self.in_use} "
            f"references={self.references}>"
        )


class CleanUp(NamedTuple):
    """What one run of DoCleanUp did.

    Attributes:
        released: how many entries it released.
        wrongly: those of them that had methods inside: the witness of the defect.
    """

    released: int
    wrongly: tuple[Entry, ...]


class Entries(ABC):
    """The table, but for what makes an entry busy. Any number of threads may call it.

    Args:
        limit: most entries at once (Vault.MaxInterfaces).
        idle_time: seconds without a method entering or leaving after which an entry that is not
            busy is released (Vault.InterfaceIdleTime).
        memory: bytes that each entry holds until it is released (Vault.InterfaceMemory).
    """

    def __init__(self, limit: int, idle_time: float, memory: int = 0) -> None:
        self._limit = limit
        self._idle_time = idle_time
        self._memory = memory
        self._lock = threading.Lock()
        self._table: dict[str, Entry] = {}
        self._handed_over: dict[Entry, None] = {}  # a set that keeps its order
        self._peak = 0

    @abstractmethod
    def _entered(self, entry: Entry) -> None:
        """Note that a method has entered; the lock is held."""

    @abstractmethod
    def _left(self, entry: Entry) -> None:
        """Note that a method has left; the lock is held."""

    @abstractmethod
    def busy(self, entry: Entry) -> bool:
        """Tell whether DoCleanUp has to spare the entry."""

    @property
    def size(self) -> int:
        """Entries in the table: those open, and those closed that DoCleanUp has not released."""
        return len(self._table)

    @property
    def peak(self) -> int:
        """The most entries that there ever were at once."""
        return self._peak

    def open(self, name: str, now: float) -> Entry | None:
        """Add an entry that no method is inside of; None: the table is full.

        Raises:
            ValueError: the name is in the table already, if only because it is not released yet.
        """
        with self._lock:
            if name in self._table:
                raise ValueError(f"interface {name} is in the table already")
            if len(self._table) >= self._limit:
                return None
            entry = self._table[name] = Entry(name, now, self._memory)
            self._peak = max(self._peak, len(self._table))
            return entry

    def enter(self, name: str, now: float) -> Entry:
        """Let a method in; it owes one `leave`.

        Raises:
            UnknownInterface: no interface of that name is open.
        """
        with self._lock:
            entry = self._open_one(name)
            entry.used = now
            entry.inside += 1
            self._entered(entry)
            return entry

    def touch(self, entry: Entry) -> None:
        """Use what a method has entered.

        Raises:
            ReleasedEntry: DoCleanUp has released it under the method. You do not get one for an
                entry that is merely closed.
        """
        with self._lock:
            self._must_stand(entry)

    def leave(self, entry: Entry, now: float, failed: bool = False) -> None:
        """Let a method out, also of an entry that has been released under it.

        Args:
            entry: what it had entered.
            now: seconds.
            failed: it ended in an exception: the interface is closed. A method does not know what
                has become of its entry and hands it over as it is, closed or released before or
                not; what is handed over already is not so twice.
        """
        with self._lock:
            entry.used = now
            entry.inside -= 1
            self._left(entry)
            if failed:
                self._hand_over(entry)

    def close(self, name: str, now: float) -> None:
        """Hand an interface over for release, and let no further method in.

        Raises:
            UnknownInterface: no interface of that name is open.
        """
        with self._lock:
            entry = self._open_one(name)
            entry.used = now
            self._hand_over(entry)

    def clean_up(self, now: float) -> CleanUp:
        """Run DoCleanUp once: what was handed over first, in that order, then what is idle.

        Raises:
            ReleasedEntry: it came to release an entry that is released already. What it released
                before that stays released and is not told, what was to follow is not reached.
        """
        with self._lock:
            due = [entry for entry in self._handed_over if not self.busy(entry)]
            due += [entry for entry in self._table.values() if self._expired(entry, now)]
            for entry in due:
                self._release(entry)
            return CleanUp(len(due), tuple(entry for entry in due if entry.inside))

    def _open_one(self, name: str) -> Entry:
        entry = self._table.get(name)
        if entry is None or entry.closed:
            raise UnknownInterface(name)
        return entry

    def _must_stand(self, entry: Entry) -> None:
        if self._table.get(entry.name) is not entry:  # the name may have been given again
            raise ReleasedEntry(entry.name)

    def _hand_over(self, entry: Entry) -> None:
        entry.closed = True
        self._handed_over[entry] = None

    def _expired(self, entry: Entry, now: float) -> bool:
        idle = now - entry.used >= self._idle_time
        return idle and not entry.closed and not self.busy(entry)

    def _release(self, entry: Entry) -> None:
        self._must_stand(entry)
        del self._table[entry.name]
        self._handed_over.pop(entry, None)
        entry.released = True
        entry.memory = b""


class FlaggedEntries(Entries):
    """As it was: the first method to leave resets the flag of all of them.

    "As a result of re-entrance, there was incorrect reset of "in use" flag of an interface entry
    item. So the next run of the periodic "DoCleanUp" task tries to release the item, which is
    actually in use" (TECH39579). That the flag is set by every method that enters, and not by the
    first only, no source tells; it would make no difference to the method that remains.
    """

    def _entered(self, entry: Entry) -> None:
        entry.in_use = True

    def _left(self, entry: Entry) -> None:
        entry.in_use = False

    def busy(self, entry: Entry) -> bool:
        """Tell whether the flag is set: not whether a method is inside."""
        return entry.in_use


class CountedEntries(Entries):
    """As hotfix 12 has it: every method counts.

    "Correct interlocked reference counting, so an interface entry item will be released only if
    there is no references to it. In this scenario, it will work correctly regardless of any
    assumption of re-entrance and multithreading" (TECH39579). What counts as a reference beside a
    method inside (the table's own, for instance) no source tells; here nothing else does.
    """

    def _entered(self, entry: Entry) -> None:
        entry.references += 1

    def _left(self, entry: Entry) -> None:
        entry.references -= 1

    def busy(self, entry: Entry) -> bool:
        """Tell whether there are references to it."""
        return entry.references > 0


def entries(TECH39579: int, limit: int, idle_time: float, memory: int = 0) -> Entries:
    """Make the table: as it was for 0, as hotfix 12 has it for 1 (Vault.TECH39579)."""
    table = CountedEntries if TECH39579 else FlaggedEntries
    return table(limit, idle_time, memory)
