"""IActivation (MS-DCOM 3.1.2.5.2.1): activation as clients below version 5.6 ask for it."""

from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.activation import MAX_REQUESTED_INTERFACES, MAX_REQUESTED_PROTSEQS
from vaultstorm_wire.dcerpc.ndr import Layout, NdrError, Reader, Writer
from vaultstorm_wire.dcerpc.objref import (
    TOWER_TCP,
    DualStringArray,
    ObjRef,
    read_interface,
    read_references,
    write_interface,
    write_references,
)
from vaultstorm_wire.dcerpc.orpc import COMVERSION, ComVersion, OrpcThat, OrpcThis
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of

IACTIVATION: Final = Syntax(guid_of("4d9f4ab8-7d1c-11cf-861e-0020af6e7c57"), 0, 0)
REMOTE_ACTIVATION: Final = 0

_LEVELS = Layout("III", 4)
_EXPORTER = Layout("16sIHHI", 4)


class RemoteActivationIn(NamedTuple):
    """Asks for a new instance of `clsid`, or for the class object (`mode` 0xFFFFFFFF)."""

    orpcthis: OrpcThis
    clsid: bytes
    iids: tuple[bytes, ...]
    protseqs: tuple[int, ...] = (TOWER_TCP,)
    object_name: str | None = None
    imp_level: int = 2
    mode: int = 0
    storage: bytes | None = None
    """The marshaled reference of a storage to load the object from."""

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthis.write(writer)
        writer.guid(self.clsid)
        writer.pointer(self.object_name is not None)
        if self.object_name is not None:
            writer.wide_string(self.object_name)
        writer.align(4)
        writer.pointer(self.storage is not None)
        if self.storage is not None:
            write_interface(writer, self.storage)
        writer.write(_LEVELS, self.imp_level, self.mode, len(self.iids))
        writer.pointer()
        writer.array("16s", self.iids)
        writer.u16(len(self.protseqs))
        writer.array("H", self.protseqs)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemoteActivationIn":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        orpcthis = OrpcThis.read(reader)
        clsid = reader.guid()
        name = reader.wide_string() if reader.pointer() else None
        storage = read_interface(reader) if reader.pointer() else None
        imp_level, mode, count = reader.read(_LEVELS)
        if not count:
            raise NdrError("an activation that asks for no interface")
        reader.reference("pIIDs")
        iids = reader.guids(MAX_REQUESTED_INTERFACES)
        reader.same(len(iids), count)
        count = reader.u16()
        protseqs = reader.array("H", MAX_REQUESTED_PROTSEQS)
        reader.same(len(protseqs), count)
        return cls(orpcthis, clsid, iids, protseqs, name, imp_level, mode, storage)


class RemoteActivationOut(NamedTuple):
    """What comes of it: `hresult` of the activation as a whole, `status` of the call itself.

    There is a result for each interface that was asked for, in a failure as well: the client knows
    the arrays' size from its own request.
    """

    orpcthat: OrpcThat
    hresult: int
    oxid: int
    bindings: DualStringArray | None
    ipid_rem_unknown: bytes
    authn_hint: int
    results: tuple[tuple[int, ObjRef | None], ...]
    version: ComVersion = COMVERSION
    status: int = 0

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthat.write(writer)
        writer.u64(self.oxid)
        writer.pointer(self.bindings is not None)
        if self.bindings is not None:
            self.bindings.write(writer)
        fields = (self.ipid_rem_unknown, self.authn_hint, *self.version, self.hresult)
        writer.write(_EXPORTER, *fields)
        write_references(writer, [reference for _, reference in self.results])
        writer.array("I", [hresult for hresult, _ in self.results])
        writer.u32(self.status)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "RemoteActivationOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        orpcthat = OrpcThat.read(reader)
        oxid = reader.u64()
        bindings = DualStringArray.read(reader) if reader.pointer() else None
        ipid, hint, major, minor, hresult = reader.read(_EXPORTER)
        references = read_references(reader, MAX_REQUESTED_INTERFACES)
        hresults = reader.array("I", MAX_REQUESTED_INTERFACES)
        reader.same(len(hresults), len(references))
        results = tuple(zip(hresults, references, strict=True))
        version = ComVersion(major, minor)
        status = reader.u32()
        return cls(orpcthat, hresult, oxid, bindings, ipid, hint, results, version, status)
