"""IRemoteSCMActivator, also named ISystemActivator (MS-DCOM 3.1.2.5.2.2): activation from 5.6 on.

Instances and class objects are asked for with the same properties; only a new instance could be
aggregated, which no remote one can.
"""

from typing import Final, NamedTuple, Self

from vaultstorm_wire.dcerpc.activation import PropertiesIn, PropertiesOut
from vaultstorm_wire.dcerpc.ndr import NdrError, Reader, Writer
from vaultstorm_wire.dcerpc.objref import (
    NULL_GUID,
    TOWER_TCP,
    DualStringArray,
    ObjRef,
    read_interface,
    write_interface,
)
from vaultstorm_wire.dcerpc.orpc import COMVERSION, ComVersion, OrpcThat, OrpcThis
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of

ISYSTEM_ACTIVATOR: Final = Syntax(guid_of("000001a0-0000-0000-c000-000000000046"), 0, 0)
REMOTE_GET_CLASS_OBJECT: Final = 3
REMOTE_CREATE_INSTANCE: Final = 4

CLSCTX_REMOTE_SERVER: Final = 0x10


class RemoteGetClassObjectIn(NamedTuple):
    """Asks for the class object that makes instances of `clsid`."""

    orpcthis: OrpcThis
    clsid: bytes
    iids: tuple[bytes, ...]
    protseqs: tuple[int, ...] = (TOWER_TCP,)
    class_context: int = CLSCTX_REMOTE_SERVER
    version: ComVersion = COMVERSION

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthis.write(writer)
        writer.pointer()
        write_interface(writer, PropertiesIn(*self[1:]).encode())
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> Self:
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        orpcthis = OrpcThis.read(reader)
        reader.reference("pActProperties")
        return cls(orpcthis, *PropertiesIn.decode(read_interface(reader)))


class RemoteCreateInstanceIn(RemoteGetClassObjectIn):
    """Asks for a new instance of `clsid`."""

    __slots__ = ()

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthis.write(writer)
        writer.pointer(False)
        writer.pointer()
        write_interface(writer, PropertiesIn(*self[1:]).encode())
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> Self:
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        orpcthis = OrpcThis.read(reader)
        if reader.pointer():
            read_interface(reader)  # pUnkOuter: no business of a remote class (3.1.2.5.2.3.3)
        reader.reference("pActProperties")
        return cls(orpcthis, *PropertiesIn.decode(read_interface(reader)))


class RemoteGetClassObjectOut(NamedTuple):
    """What comes of it. Without interfaces there are no properties: it failed as a whole."""

    orpcthat: OrpcThat
    hresult: int
    oxid: int
    bindings: DualStringArray | None
    ipid_rem_unknown: bytes
    authn_hint: int
    iids: tuple[bytes, ...]
    results: tuple[tuple[int, ObjRef | None], ...]
    """An HRESULT and, where it is a success, a reference: as many as `iids`, in their order."""
    version: ComVersion = COMVERSION

    @classmethod
    def failed(cls, hresult: int) -> Self:
        """Answer with nothing but a failure."""
        return cls(OrpcThat(), hresult, *_NOTHING)

    def encode(self) -> bytes:
        """Give the stub. Raises ValueError if there is not one result for each interface."""
        return _encode(self.orpcthat, PropertiesOut(*self[2:]), self.hresult)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> Self:
        """Read a stub. Raises NdrError."""
        orpcthat, properties, hresult = _decode(stub, little)
        return cls(orpcthat, hresult, *properties)


class RemoteCreateInstanceOut(RemoteGetClassObjectOut):
    """What comes of it, in the same words."""

    __slots__ = ()


_NOTHING = PropertiesOut(0, None, NULL_GUID, 0, (), ())


def _encode(orpcthat: OrpcThat, properties: PropertiesOut, hresult: int) -> bytes:
    writer = Writer()
    orpcthat.write(writer)
    writer.pointer(bool(properties.iids))
    if properties.iids:
        write_interface(writer, properties.encode())
    writer.u32(hresult)
    return writer.value()


def _decode(stub: bytes, little: bool) -> tuple[OrpcThat, PropertiesOut, int]:
    reader = Reader(stub, little)
    orpcthat = OrpcThat.read(reader)
    properties = _NOTHING
    if reader.pointer():
        properties = PropertiesOut.decode(read_interface(reader))
        if not properties.iids:
            raise NdrError("activation properties without a single interface")
    return orpcthat, properties, reader.u32()
