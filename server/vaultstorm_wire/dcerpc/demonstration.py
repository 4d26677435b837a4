"""IVaultstormDemonstration: the one interface of the class that this server activates.

It derives from IUnknown, whose three methods have opnums but are never on the wire.
"""

from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.ndr import Layout, Reader
from vaultstorm_wire.dcerpc.orpc import OrpcThat, OrpcThis
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of

CLSID_DEMONSTRATION: Final = guid_of("8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1")
APPID_DEMONSTRATION: Final = CLSID_DEMONSTRATION
IID_DEMONSTRATION: Final = guid_of("8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d2")
IDEMONSTRATION: Final = Syntax(IID_DEMONSTRATION, 0, 0)
WORK: Final = 3

_RESULT = Layout("II", 4)


class WorkIn(NamedTuple):
    """Asks the object to work for a while."""

    orpcthis: OrpcThis

    def encode(self) -> bytes:
        """Give the stub."""
        return self.orpcthis.encode()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "WorkIn":
        """Read a stub. Raises NdrError."""
        return cls(OrpcThis.read(Reader(stub, little)))


class WorkOut(NamedTuple):
    """How often it has worked in this application, this time among them."""

    orpcthat: OrpcThat
    executed: int
    hresult: int

    def encode(self) -> bytes:
        """Give the stub."""
        return self.orpcthat.encode() + _RESULT.pack(self.executed, self.hresult)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "WorkOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        return cls(OrpcThat.read(reader), *reader.read(_RESULT))
