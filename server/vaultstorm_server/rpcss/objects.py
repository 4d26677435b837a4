"""The objects that clients refer to: OIDs, IPIDs, their reference counts, and garbage collection.

MS-DCOM 3.1.1.1 (IPID, OID and OXID tables of an exporter), 3.1.1.5.6 (IRemUnknown), 3.1.1.6.2
(reclaiming an object) and 3.1.2.1 (the resolver's OID table), in one place: the resolver and its
exporters live in one process here.
"""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from vaultstorm_wire.dcerpc.syntax import guid_text

COMPACT_FROM: Final = 64
"""Entries of the watch below which it is not worth looking for those of objects that are gone."""


class Interface:
    """One interface of an object that clients have references to: an entry of the IPID table.

    Private references belong to the client that took them; unauthenticated clients are one.
    """

    __slots__ = ("_text", "iid", "ipid", "object", "private", "public")

    def __init__(self, ipid: bytes, iid: bytes, object: "Object") -> None:
        self.ipid = ipid
        self.iid = iid
        self.object = object
        self.public = 0
        self.private = 0
        self._text = ""

    @property
    def text(self) -> str:
        """The IPID as text."""
        if not self._text:
            self._text = guid_text(self.ipid)
        return self._text

    def __repr__(self) -> str:
        return f"<Interface {self.text}: {self.public} public, {self.private} private>"


class Object:
    """One object: an entry of the OID table.

    Attributes:
        oid: its identifier.
        oxid: of the exporter it lives in.
        clsid: of its class.
        iids: of the interfaces it implements.
        interfaces: those that clients have references to.
        sets: ping sets that it is in.
        used: when the last ORPC call on it began.
        due: when it may be reclaimed, if it is in no ping set by then.
        watched: somebody will look whether it is due.
    """

    __slots__ = ("clsid", "due", "iids", "interfaces", "oid", "oxid", "sets", "used", "watched")

    def __init__(self, oid: int, oxid: int, clsid: bytes, iids: frozenset[bytes]) -> None:
        self.oid = oid
        self.oxid = oxid
        self.clsid = clsid
        self.iids = iids
        self.interfaces: list[Interface] = []
        self.sets = 0
        self.used = float("-inf")
        self.due = 0.0
        self.watched = False

    def __repr__(self) -> str:
        return f"<Object {self.oid:#x}: {len(self.interfaces)} interfaces, in {self.sets} sets>"


class ObjectTable:
    """All objects, by OID and by IPID.

    An object goes when its last reference is released, when the last ping set it was in expires, or
    when no client has ever put it in one: then as long after its birth as a set lives without a
    ping. None goes within a ping period of an ORPC call on it (3.1.1.6.2).

    Args:
        limit: objects at once.
        period: the ping period in seconds.
        misses: periods without a ping after which a set expires.
        draw: gives random bytes.
    """

    __slots__ = (
        "_by_ipid",
        "_by_oid",
        "_draw",
        "_lifetime",
        "_limit",
        "_next",
        "_period",
        "_watch",
    )

    def __init__(
        self, limit: int, period: float, misses: int, draw: Callable[[int], bytes]
    ) -> None:
        self._limit = limit
        self._period = period
        self._lifetime = period * misses
        self._draw = draw
        self._next = int.from_bytes(draw(7), "little")  # counting from there stays within 64 bits
        self._by_oid: dict[int, Object] = {}
        self._by_ipid: dict[bytes, Interface] = {}
        self._watch: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._by_oid)

    def __iter__(self) -> Iterator[Object]:
        return iter(self._by_oid.values())

    def make(self, oxid: int, clsid: bytes, iids: frozenset[bytes], now: float) -> Object | None:
        """Make an object without a reference to it; None if there are as many as may be."""
        if len(self._by_oid) >= self._limit:
            return None
        self._next += 1
        made = Object(self._next, oxid, clsid, iids)
        made.due = now + self._lifetime
        self._by_oid[made.oid] = made
        self._look_at(made)
        return made

    def find(self, ipid: bytes) -> Interface | None:
        """Give the interface that an IPID stands for."""
        return self._by_ipid.get(ipid)

    def query(self, object: Object, iid: bytes, references: int) -> Interface | None:
        """Give public references to an interface of an object; None if it has no such interface."""
        for interface in object.interfaces:
            if interface.iid == iid:
                interface.public += references
                return interface
        if iid not in object.iids:
            return None
        interface = Interface(self._draw(16), iid, object)
        interface.public = references
        object.interfaces.append(interface)
        self._by_ipid[interface.ipid] = interface
        return interface

    def release(self, interface: Interface, public: int, private: int) -> None:
        """Take references back, at most as many as there are (3.1.1.5.6.1.3).

        An interface without any is forgotten, and an object without interfaces is as well.
        """
        interface.public = max(interface.public - public, 0)
        interface.private = max(interface.private - private, 0)
        if interface.public or interface.private:
            return
        if self._by_ipid.pop(interface.ipid, None) is None:
            return
        interface.object.interfaces.remove(interface)
        if not interface.object.interfaces:
            self._by_oid.pop(interface.object.oid, None)

    def enter_set(self, oid: int) -> bool:
        """Note that a ping set has an object; False if there is no such object."""
        found = self._by_oid.get(oid)
        if found is None:
            return False
        found.sets += 1
        return True

    def leave_set(self, oid: int, now: float, *, expired: bool) -> None:
        """Note that a ping set has an object no more.

        Args:
            oid: of the object; it may be gone.
            now: the time.
            expired: the set has expired, so that nobody is known to want it; or its client has said
                so of the object alone, which others who have not pinged yet may still want.
        """
        found = self._by_oid.get(oid)
        if found is None:
            return
        found.sets -= 1
        if not found.sets:
            found.due = now if expired else now + self._lifetime
            self._look_at(found)

    def expire(self, now: float) -> int:
        """Reclaim the objects whose time is over; give their number."""
        watch, reclaimed = self._watch, 0
        while watch and watch[0][0] <= now:
            found = self._by_oid.get(heappop(watch)[1])
            if found is None:
                continue
            found.watched = False
            if found.sets:
                continue
            if self._due(found) > now:
                self._look_at(found)
                continue
            del self._by_oid[found.oid]
            for interface in found.interfaces:
                del self._by_ipid[interface.ipid]
            reclaimed += 1
        return reclaimed

    def forget(self) -> None:
        """Forget all objects: the computer goes down."""
        self._by_oid.clear()
        self._by_ipid.clear()
        self._watch.clear()

    def _due(self, object: Object) -> float:
        return max(object.due, object.used + self._period)

    def _look_at(self, object: Object) -> None:
        """Have an object looked at when it is due.

        One that is watched already is looked at before that: no set that it was in since then can
        have expired earlier.
        """
        if object.watched:
            return
        watch = self._watch
        if len(watch) > COMPACT_FROM + 2 * len(self._by_oid):
            watch[:] = [entry for entry in watch if entry[1] in self._by_oid]
            heapify(watch)
        object.watched = True
        heappush(watch, (self._due(object), object.oid))

    def __repr__(self) -> str:
        return f"<ObjectTable: {len(self)} of {self._limit} objects>"
