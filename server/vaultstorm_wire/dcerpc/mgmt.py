"""The remote management interface (C706 appendix P), which every RPC server has."""

from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.ndr import U32, Layout, Reader, Writer
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of

MGMT: Final = Syntax(guid_of("afa8bd80-7d8a-11c9-bef4-08002b102989"), 1, 0)
INQ_IF_IDS: Final = 0
INQ_STATS: Final = 1
IS_SERVER_LISTENING: Final = 2
STOP_SERVER_LISTENING: Final = 3
INQ_PRINC_NAME: Final = 4

INTERFACES_MAX: Final = 0x1000
STATISTICS_MAX: Final = 0x1000

_IF_ID = Layout("16sHH", 4)
_PAIR = Layout("II", 4)
_VARYING = Layout("III", 4)


class InqIfIdsIn(NamedTuple):
    """Asks which interfaces the server has."""

    def encode(self) -> bytes:
        """Give the stub."""
        return b""

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "InqIfIdsIn":
        """Read a stub: nothing in it is needed."""
        return cls()


class InqIfIdsOut(NamedTuple):
    """The interfaces."""

    interfaces: tuple[Syntax, ...]
    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer(full=1)
        writer.pointer(bool(self.interfaces))
        if self.interfaces:
            # A structure with a conformant array at its end: the array's size goes before it.
            writer.u32(len(self.interfaces))
            writer.pointers([True] * len(self.interfaces))
            for interface in self.interfaces:
                writer.write(_IF_ID, *interface)
        writer.u32(self.status)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "InqIfIdsOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        seen: dict[int, Syntax] = {}
        pointers: tuple[int, ...] = ()
        if reader.pointer():
            size = reader.count(INTERFACES_MAX, 4)
            pointers = reader.pointers(INTERFACES_MAX)
            reader.same(size, len(pointers))
            for pointer in filter(None, pointers):
                if pointer not in seen:  # they are full pointers: two may point to the same
                    seen[pointer] = Syntax(*reader.read(_IF_ID))
        return cls(tuple([seen[pointer] for pointer in pointers if pointer]), reader.u32())


class InqStatsIn(NamedTuple):
    """Asks for so many of the server's counters."""

    asked: int

    def encode(self) -> bytes:
        """Give the stub."""
        return U32.pack(self.asked)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "InqStatsIn":
        """Read a stub. Raises NdrError."""
        return cls(*Reader(stub, little).read(U32))


class InqStatsOut(NamedTuple):
    """Calls received, calls sent, packets received, packets sent: no more than were asked for."""

    statistics: tuple[int, ...]
    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        writer.u32(len(self.statistics))
        writer.array("I", self.statistics)
        writer.u32(self.status)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "InqStatsOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        count = reader.u32()
        statistics = reader.array("I", STATISTICS_MAX)
        reader.same(len(statistics), count)
        return cls(statistics, reader.u32())


class IsServerListeningIn(NamedTuple):
    """Asks whether the server takes calls."""

    def encode(self) -> bytes:
        """Give the stub."""
        return b""

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "IsServerListeningIn":
        """Read a stub: nothing in it is needed."""
        return cls()


class IsServerListeningOut(NamedTuple):
    """Whether it does; the answer is a boolean32 that the function returns."""

    status: int
    listening: bool

    def encode(self) -> bytes:
        """Give the stub."""
        return _PAIR.pack(self.status, int(self.listening))

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "IsServerListeningOut":
        """Read a stub. Raises NdrError."""
        status, listening = Reader(stub, little).read(_PAIR)
        return cls(status, bool(listening))


class StopServerListeningIn(NamedTuple):
    """Asks the server to take no more calls."""

    def encode(self) -> bytes:
        """Give the stub."""
        return b""

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "StopServerListeningIn":
        """Read a stub: nothing in it is needed."""
        return cls()


class StopServerListeningOut(NamedTuple):
    """Whether it obeys."""

    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        return U32.pack(self.status)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "StopServerListeningOut":
        """Read a stub. Raises NdrError."""
        return cls(*Reader(stub, little).read(U32))


class InqPrincNameIn(NamedTuple):
    """Asks by what name the server is known to an authentication service."""

    authn_proto: int
    name_size: int

    def encode(self) -> bytes:
        """Give the stub."""
        return _PAIR.pack(*self)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "InqPrincNameIn":
        """Read a stub. Raises NdrError."""
        return cls(*Reader(stub, little).read(_PAIR))


class InqPrincNameOut(NamedTuple):
    """The name, cut off where it is longer than was asked for."""

    name: str
    status: int
    name_size: int
    """What was asked for: the size the array is declared with."""

    def encode(self) -> bytes:
        """Give the stub."""
        text = self.name.encode("latin-1", "replace")[: max(self.name_size - 1, 0)] + b"\0"
        writer = Writer()
        writer.write(_VARYING, max(self.name_size, 1), 0, len(text))
        writer.raw(text)
        writer.u32(self.status)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "InqPrincNameOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        size, name = reader.sized_string()
        return cls(name, reader.u32(), size)
