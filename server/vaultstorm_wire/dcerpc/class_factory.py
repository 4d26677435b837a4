"""IClassFactory as it is called from afar (unknwn.idl): it makes objects of its class."""

from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.ndr import Reader, Writer
from vaultstorm_wire.dcerpc.objref import ObjRef, read_interface, write_interface
from vaultstorm_wire.dcerpc.orpc import OrpcThat, OrpcThis
from vaultstorm_wire.dcerpc.rem_unknown import IID_ICLASSFACTORY
from vaultstorm_wire.dcerpc.syntax import Syntax

ICLASS_FACTORY: Final = Syntax(IID_ICLASSFACTORY, 0, 0)
CREATE_INSTANCE: Final = 3
LOCK_SERVER: Final = 4


class CreateInstanceIn(NamedTuple):
    """Asks for an object, by one of its interfaces; the outer object stays at home."""

    orpcthis: OrpcThis
    iid: bytes

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthis.write(writer)
        writer.guid(self.iid)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "CreateInstanceIn":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        return cls(OrpcThis.read(reader), reader.guid())


class CreateInstanceOut(NamedTuple):
    """The object; None with an HRESULT that is a failure."""

    orpcthat: OrpcThat
    reference: ObjRef | None
    hresult: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthat.write(writer)
        writer.pointer(self.reference is not None)
        if self.reference is not None:
            write_interface(writer, self.reference.encode())
        writer.u32(self.hresult)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "CreateInstanceOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        orpcthat = OrpcThat.read(reader)
        reference = ObjRef.decode(read_interface(reader)) if reader.pointer() else None
        return cls(orpcthat, reference, reader.u32())


class LockServerIn(NamedTuple):
    """Keeps the application running, or lets it end."""

    orpcthis: OrpcThis
    lock: bool

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthis.write(writer)
        writer.u32(int(self.lock))
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "LockServerIn":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        return cls(OrpcThis.read(reader), reader.u32() != 0)


class LockServerOut(NamedTuple):
    """Whether it was done."""

    orpcthat: OrpcThat
    hresult: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer()
        self.orpcthat.write(writer)
        writer.u32(self.hresult)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "LockServerOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        return cls(OrpcThat.read(reader), reader.u32())
