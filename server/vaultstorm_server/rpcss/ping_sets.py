"""Ping sets: which objects a client still wants, as long as it says so (MS-DCOM 3.1.2).

Every 2 minutes a client pings its set; after 3 periods without a ping the set expires, and with it
the objects that are in no other.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from vaultstorm_server.rpcss.objects import ObjectTable

# MS-ERREF 2.2.
ERROR_SUCCESS: Final = 0
ERROR_OUTOFMEMORY: Final = 14
OR_INVALID_OXID: Final = 1910
OR_INVALID_OID: Final = 1911
OR_INVALID_SET: Final = 1912


class Pinged(NamedTuple):
    """The answer to a ComplexPing: the set's id, and a Win32 code."""

    setid: int
    status: int


class PingSet:
    """One client's set.

    Attributes:
        sequence: the number of the last ComplexPing that changed it.
        oids: of the objects in it.
        due: when it expires.
    """

    __slots__ = ("due", "oids", "sequence")

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.oids: set[int] = set()
        self.due = 0.0


class PingSets:
    """All ping sets, by SETID.

    Args:
        objects: what the sets refer to.
        period: the ping period in seconds.
        misses: periods without a ping after which a set expires.
        limit: sets and objects in them that are kept at once.
    """

    __slots__ = ("_entries", "_lifetime", "_limit", "_next", "_objects", "_sets")

    def __init__(self, objects: ObjectTable, period: float, misses: int, limit: int) -> None:
        self._objects = objects
        self._lifetime = period * misses
        self._limit = limit
        self._next = 0
        self._entries = 0
        self._sets: dict[int, PingSet] = {}  # in the order of their last pings, so of their ends

    def __len__(self) -> int:
        return len(self._sets)

    def simple_ping(self, setid: int, now: float) -> int:
        """Keep a set alive; give a Win32 code (3.1.2.5.1.2)."""
        self.expire(now)
        found = self._sets.get(setid)
        if found is None:
            return OR_INVALID_SET
        self._ping(setid, found, now)
        return ERROR_SUCCESS

    def complex_ping(
        self, setid: int, sequence: int, add: Iterable[int], delete: Iterable[int], now: float
    ) -> Pinged:
        """Make or change a set, and keep it alive (3.1.2.5.1.3).

        Args:
            setid: 0 for a new set.
            sequence: what comes with an older number than the last has been overtaken, and changes
                nothing. One that repeats the last number is the same call once more.
            add: objects to put in; unknown ones are told, after the others have been put in.
            delete: objects to take out.
            now: the time.
        """
        self.expire(now)
        if setid == 0:
            if self._entries >= self._limit:
                return Pinged(0, ERROR_OUTOFMEMORY)
            self._next += 1
            setid = self._next
            self._entries += 1
            found = self._sets[setid] = PingSet(sequence)
        elif (known := self._sets.get(setid)) is None:
            return Pinged(setid, OR_INVALID_SET)
        else:
            found = known
            if (sequence - found.sequence) & 0xFFFF >= 0x8000:  # 16 bits that wrap
                return Pinged(setid, ERROR_SUCCESS)
            found.sequence = sequence
        status = self._add(found, add)
        for oid in delete:
            if oid in found.oids:
                found.oids.remove(oid)
                self._entries -= 1
                self._objects.leave_set(oid, now, expired=False)
        self._ping(setid, found, now)
        return Pinged(setid, status)

    def expire(self, now: float) -> int:
        """End the sets whose time is over; give their number."""
        ended = 0
        while self._sets:
            setid, oldest = next(iter(self._sets.items()))
            if oldest.due > now:
                break
            del self._sets[setid]
            self._entries -= 1 + len(oldest.oids)
            for oid in oldest.oids:
                self._objects.leave_set(oid, now, expired=True)
            ended += 1
        return ended

    def forget(self) -> None:
        """Forget all sets, as the computer goes down."""
        self._sets.clear()
        self._entries = 0

    def _ping(self, setid: int, found: PingSet, now: float) -> None:
        found.due = now + self._lifetime
        del self._sets[setid]
        self._sets[setid] = found

    def _add(self, found: PingSet, add: Iterable[int]) -> int:
        status = ERROR_SUCCESS
        for oid in add:
            if oid in found.oids:
                continue
            if self._entries >= self._limit:
                return ERROR_OUTOFMEMORY
            if not self._objects.enter_set(oid):
                status = OR_INVALID_OID
                continue
            found.oids.add(oid)
            self._entries += 1
        return status

    def __repr__(self) -> str:
        return f"<PingSets: {len(self._sets)}, {self._entries} of {self._limit} entries>"
