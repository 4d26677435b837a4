"""IRemUnknown and IRemUnknown2 (MS-DCOM 3.1.1.5.6, .7): the IUnknown of an exporter's objects."""

from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.ndr import Layout, Reader, Writer
from vaultstorm_wire.dcerpc.objref import ObjRef, StdObjRef, read_references, write_references
from vaultstorm_wire.dcerpc.orpc import OrpcThat, OrpcThis
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of

IREM_UNKNOWN: Final = Syntax(guid_of("00000131-0000-0000-c000-000000000046"), 0, 0)
IREM_UNKNOWN2: Final = Syntax(guid_of("00000143-0000-0000-c000-000000000046"), 0, 0)
IID_IUNKNOWN: Final = guid_of("00000000-0000-0000-c000-000000000046")
IID_ICLASSFACTORY: Final = guid_of("00000001-0000-0000-c000-000000000046")
REM_QUERY_INTERFACE: Final = 3
REM_ADD_REF: Final = 4
REM_RELEASE: Final = 5
REM_QUERY_INTERFACE2: Final = 6

_COUNT_MAX = 0xFFFF  # cIids and cInterfaceRefs have 16 bits
_QUERY = Layout("16sIH", 4)
_QUERY2 = Layout("16sH", 4)
_QI_RESULT = Layout("IxxxxIIQQ16s", 8)
_REFERENCES = Layout("16sII", 4)


class RemQiResult(NamedTuple):
    """REMQIRESULT: whether the object has an interface, and how it is called by it."""

    hresult: int
    std: StdObjRef


class RemInterfaceRef(NamedTuple):
    """REMINTERFACEREF: so many references to an interface."""

    ipid: bytes
    public_refs: int
    private_refs: int = 0


class RemQueryInterfaceIn(NamedTuple):
    """Asks for more interfaces of the object that has `ipid`, and `refs` references to each."""

    orpcthis: OrpcThis
    ipid: bytes
    refs: int
    iids: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthis.write(writer)
        writer.write(_QUERY, self.ipid, self.refs, len(self.iids))
        writer.array("16s", self.iids)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemQueryInterfaceIn":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        orpcthis = OrpcThis.read(reader)
        ipid, refs, count = reader.read(_QUERY)
        iids = reader.guids(_COUNT_MAX)
        reader.same(len(iids), count)
        return cls(orpcthis, ipid, refs, iids)


class RemQueryInterfaceOut(NamedTuple):
    """A result for each interface that was asked for; None where the call failed as a whole."""

    orpcthat: OrpcThat
    results: tuple[RemQiResult, ...] | None
    hresult: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthat.write(writer)
        writer.pointer(self.results is not None)
        if self.results is not None:
            writer.u32(len(self.results))
            for hresult, std in self.results:
                writer.write(_QI_RESULT, hresult, *std)
        writer.u32(self.hresult)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemQueryInterfaceOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        orpcthat = OrpcThat.read(reader)
        results = None
        if reader.pointer():
            found = []
            for _ in range(reader.count(_COUNT_MAX, _QI_RESULT.size)):
                hresult, *std = reader.read(_QI_RESULT)
                found.append(RemQiResult(hresult, StdObjRef(*std)))
            results = tuple(found)
        return cls(orpcthat, results, reader.u32())


class RemAddRefIn(NamedTuple):
    """Asks for more references to interfaces that the client has."""

    orpcthis: OrpcThis
    refs: tuple[RemInterfaceRef, ...]

    def encode(self) -> bytes:
        """Give the stub."""
        return _encode_refs(self.orpcthis, self.refs)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemAddRefIn":
        """Read a stub. Raises NdrError."""
        return cls(*_decode_refs(stub, little))


class RemAddRefOut(NamedTuple):
    """A result for each interface of the request, in a failure of the call as well."""

    orpcthat: OrpcThat
    results: tuple[int, ...]
    hresult: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthat.write(writer)
        writer.array("I", self.results)
        writer.u32(self.hresult)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemAddRefOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        return cls(OrpcThat.read(reader), reader.array("I", _COUNT_MAX), reader.u32())


class RemReleaseIn(NamedTuple):
    """Gives references back."""

    orpcthis: OrpcThis
    refs: tuple[RemInterfaceRef, ...]

    def encode(self) -> bytes:
        """Give the stub."""
        return _encode_refs(self.orpcthis, self.refs)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemReleaseIn":
        """Read a stub. Raises NdrError."""
        return cls(*_decode_refs(stub, little))


class RemReleaseOut(NamedTuple):
    """Whether they were taken back."""

    orpcthat: OrpcThat
    hresult: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthat.write(writer)
        writer.u32(self.hresult)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemReleaseOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        return cls(OrpcThat.read(reader), reader.u32())


class RemQueryInterface2In(NamedTuple):
    """Asks for more interfaces of the object that has `ipid`, as whole references."""

    orpcthis: OrpcThis
    ipid: bytes
    iids: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthis.write(writer)
        writer.write(_QUERY2, self.ipid, len(self.iids))
        writer.array("16s", self.iids)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemQueryInterface2In":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        orpcthis = OrpcThis.read(reader)
        ipid, count = reader.read(_QUERY2)
        iids = reader.guids(_COUNT_MAX)
        reader.same(len(iids), count)
        return cls(orpcthis, ipid, iids)


class RemQueryInterface2Out(NamedTuple):
    """A result for each interface of the request, in a failure of the call as well."""

    orpcthat: OrpcThat
    results: tuple[tuple[int, ObjRef | None], ...]
    hresult: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthat.write(writer)
        writer.array("I", [hresult for hresult, _ in self.results])
        write_references(writer, [reference for _, reference in self.results])
        writer.u32(self.hresult)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemQueryInterface2Out":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        orpcthat = OrpcThat.read(reader)
        hresults = reader.array("I", _COUNT_MAX)
        references = read_references(reader, _COUNT_MAX)
        reader.same(len(references), len(hresults))
        return cls(orpcthat, tuple(zip(hresults, references, strict=True)), reader.u32())


def _encode_refs(orpcthis: OrpcThis, refs: tuple[RemInterfaceRef, ...]) -> bytes:
    writer = Writer()
    orpcthis.write(writer)
    writer.u16(len(refs))
    writer.u32(len(refs))
    for reference in refs:
        writer.write(_REFERENCES, *reference)
    return writer.value()


def _decode_refs(stub: bytes, little: bool) -> tuple[OrpcThis, tuple[RemInterfaceRef, ...]]:
    reader = Reader(stub, little)
    orpcthis = OrpcThis.read(reader)
    count = reader.u16()
    size = reader.count(_COUNT_MAX, _REFERENCES.size)
    reader.same(size, count)
    return orpcthis, tuple([RemInterfaceRef(*reader.read(_REFERENCES)) for _ in range(size)])
