"""IObjectExporter, the resolver (MS-DCOM 3.1.2.5.1): where exporters are, and who is still there.

None of it is ORPC: no call begins with an ORPCTHIS.
"""

from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.activation import MAX_REQUESTED_PROTSEQS
from vaultstorm_wire.dcerpc.ndr import U32, U64, Layout, NdrError, Reader, Writer
from vaultstorm_wire.dcerpc.objref import DualStringArray
from vaultstorm_wire.dcerpc.orpc import ComVersion
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of

IOBJECT_EXPORTER: Final = Syntax(guid_of("99fcfec4-5260-101b-bbcb-00aa0021347a"), 0, 0)
RESOLVE_OXID: Final = 0
SIMPLE_PING: Final = 1
COMPLEX_PING: Final = 2
SERVER_ALIVE: Final = 3
RESOLVE_OXID2: Final = 4
SERVER_ALIVE2: Final = 5

_EXPORTER = Layout("16sI", 4)
_PING = Layout("QHHH", 8)
_PINGED = Layout("QHxxI", 8)
_VERSION = Layout("HH", 2)
_TAIL = Layout("II", 4)
_OIDS_MAX = 0xFFFF  # cAddToSet and cDelFromSet have 16 bits


class ResolveOxidIn(NamedTuple):
    """Asks where an exporter is, by the protocol sequences that the client speaks."""

    oxid: int
    protseqs: tuple[int, ...]

    def encode(self) -> bytes:
        """Give the stub."""
        return _encode_asked(self.oxid, self.protseqs)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ResolveOxidIn":
        """Read a stub. Raises NdrError."""
        return cls(*_decode_asked(stub, little))


class ResolveOxidOut(NamedTuple):
    """Where it is; no bindings where the status is none of success."""

    bindings: DualStringArray | None
    ipid_rem_unknown: bytes
    authn_hint: int
    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        _write_bindings(writer, self.bindings)
        writer.write(_EXPORTER, self.ipid_rem_unknown, self.authn_hint)
        writer.u32(self.status)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ResolveOxidOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        bindings = _read_bindings(reader)
        ipid, hint = reader.read(_EXPORTER)
        return cls(bindings, ipid, hint, reader.u32())


class SimplePingIn(NamedTuple):
    """Says that the client of a ping set is still there."""

    setid: int

    def encode(self) -> bytes:
        """Give the stub."""
        return U64.pack(self.setid)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "SimplePingIn":
        """Read a stub. Raises NdrError."""
        return cls(*Reader(stub, little).read(U64))


class SimplePingOut(NamedTuple):
    """Whether the set is known."""

    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        return U32.pack(self.status)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "SimplePingOut":
        """Read a stub. Raises NdrError."""
        return cls(*Reader(stub, little).read(U32))


class ComplexPingIn(NamedTuple):
    """Makes a ping set (SETID 0) or changes one, and pings it."""

    setid: int
    sequence: int
    add: tuple[int, ...]
    delete: tuple[int, ...]

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        writer.write(_PING, self.setid, self.sequence, len(self.add), len(self.delete))
        for oids in (self.add, self.delete):
            writer.pointer(bool(oids))
            if oids:
                writer.array("Q", oids)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ComplexPingIn":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        setid, sequence, adding, deleting = reader.read(_PING)
        return cls(setid, sequence, _read_oids(reader, adding), _read_oids(reader, deleting))


class ComplexPingOut(NamedTuple):
    """The set's id, and how many pings the client may leave out."""

    setid: int
    backoff: int
    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        return _PINGED.pack(*self)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ComplexPingOut":
        """Read a stub. Raises NdrError."""
        return cls(*Reader(stub, little).read(_PINGED))


class ServerAliveIn(NamedTuple):
    """Asks whether anybody is there."""

    def encode(self) -> bytes:
        """Give the stub."""
        return b""

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ServerAliveIn":
        """Read a stub: nothing in it is needed."""
        return cls()


class ServerAliveOut(NamedTuple):
    """Somebody is."""

    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        return U32.pack(self.status)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ServerAliveOut":
        """Read a stub. Raises NdrError."""
        return cls(*Reader(stub, little).read(U32))


class ResolveOxid2In(NamedTuple):
    """Asks what ResolveOxid asks, and for the version."""

    oxid: int
    protseqs: tuple[int, ...]

    def encode(self) -> bytes:
        """Give the stub."""
        return _encode_asked(self.oxid, self.protseqs)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ResolveOxid2In":
        """Read a stub. Raises NdrError."""
        return cls(*_decode_asked(stub, little))


class ResolveOxid2Out(NamedTuple):
    """Where it is, and what it speaks; no bindings where the status is none of success."""

    bindings: DualStringArray | None
    ipid_rem_unknown: bytes
    authn_hint: int
    version: ComVersion
    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        _write_bindings(writer, self.bindings)
        writer.write(_EXPORTER, self.ipid_rem_unknown, self.authn_hint)
        writer.write(_VERSION, *self.version)
        writer.u32(self.status)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ResolveOxid2Out":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        bindings = _read_bindings(reader)
        ipid, hint = reader.read(_EXPORTER)
        return cls(bindings, ipid, hint, ComVersion(*reader.read(_VERSION)), reader.u32())


class ServerAlive2In(NamedTuple):
    """Asks who is there: the first call of every client, and the only one nobody is refused."""

    def encode(self) -> bytes:
        """Give the stub."""
        return b""

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ServerAlive2In":
        """Read a stub: nothing in it is needed."""
        return cls()


class ServerAlive2Out(NamedTuple):
    """The version that the resolver speaks, and how it is reached."""

    version: ComVersion
    bindings: DualStringArray | None
    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        writer.write(_VERSION, *self.version)
        _write_bindings(writer, self.bindings)
        writer.write(_TAIL, 0, self.status)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "ServerAlive2Out":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        version = ComVersion(*reader.read(_VERSION))
        bindings = _read_bindings(reader)
        _, status = reader.read(_TAIL)
        return cls(version, bindings, status)


def _encode_asked(oxid: int, protseqs: tuple[int, ...]) -> bytes:
    writer = Writer()
    writer.u64(oxid)
    writer.u16(len(protseqs))
    writer.array("H", protseqs)
    return writer.value()


def _decode_asked(stub: bytes, little: bool) -> tuple[int, tuple[int, ...]]:
    reader = Reader(stub, little)
    oxid = reader.u64()
    count = reader.u16()
    protseqs = reader.array("H", MAX_REQUESTED_PROTSEQS)
    reader.same(len(protseqs), count)
    return oxid, protseqs


def _write_bindings(writer: Writer, bindings: DualStringArray | None) -> None:
    writer.pointer(bindings is not None)
    if bindings is not None:
        bindings.write(writer)


def _read_bindings(reader: Reader) -> DualStringArray | None:
    return DualStringArray.read(reader) if reader.pointer() else None


def _read_oids(reader: Reader, count: int) -> tuple[int, ...]:
    if not reader.pointer():
        if count:
            raise NdrError(f"{count} OIDs behind a null pointer")
        return ()
    oids = reader.array("Q", _OIDS_MAX)
    reader.same(len(oids), count)
    return oids
