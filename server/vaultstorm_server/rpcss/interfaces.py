"""What an RPC interface is to the server: operations by their numbers, and how one is called."""

from collections.abc import Callable, Iterable, Mapping
from struct import Struct
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from vaultstorm_wire.dcerpc.syntax import Syntax

# Where ORPCTHIS has its causality id: after COMVERSION, flags and a reserved word (MS-DCOM
# 2.2.13.3).
_CAUSALITY: Final = Struct("<12xIHH8s"), Struct(">12xIHH8s")


class Faulted(Exception):
    """A call that ends with a fault.

    Attributes:
        status: an nca_ status, a Win32 code or an HRESULT.
        did_not_execute: it was refused before it came to the interface's own code (C706 12.6.3.1).
    """

    def __init__(self, status: int, *, did_not_execute: bool = False) -> None:
        super().__init__(f"{status:#010x}")
        self.status = status
        self.did_not_execute = did_not_execute


class Answer(msgspec.Struct, frozen=True):
    """How a call has ended.

    Attributes:
        stub: the parameters that go out.
        status: the HRESULT or error_status_t in them.
        execution: what the method was executed on, where it leaves an execution record.
    """

    stub: bytes
    status: int = 0
    execution: str | None = None


class Later(msgspec.Struct, frozen=True):
    """A method takes its time: it ends, whoever still waits for it, when `finish` is called.

    Attributes:
        delay: seconds.
        finish: executes it.
    """

    delay: float
    finish: Callable[[], Answer]


class Caller(Protocol):
    """What an operation may know of the connection that it is called on."""

    handles: dict[bytes, object]
    """Context handles, which end with the last connection of the client's association group."""

    @property
    def local_host(self) -> str:
        """The address of ours that the client has connected to."""


class Call:
    """One call of an operation, as its method sees it, and what is journalled of it.

    Attributes:
        stub: the parameters that came in.
        little: their byte order.
        object: the object UUID, which is an IPID in DCOM.
        caller: the connection.
        received: when it was.
        address: call id and context id, which its answer bears.
        id: the causality id, where there is one.
        target: the interface's name.
        method: the operation's name.
        dispatched: when it was given to the method; None if it never was.
    """

    __slots__ = (
        "address",
        "caller",
        "dispatched",
        "id",
        "little",
        "method",
        "object",
        "received",
        "stub",
        "target",
    )

    def __init__(
        self,
        stub: bytes,
        little: bool,
        object: bytes | None,
        caller: Caller,
        received: float,
        address: tuple[int, int] = (0, 0),
    ) -> None:
        self.stub = stub
        self.little = little
        self.object = object
        self.caller = caller
        self.received = received
        self.address = address
        self.id: str | None = None
        self.target = ""
        self.method = ""
        self.dispatched: float | None = None


class Operation(msgspec.Struct, frozen=True):
    """An operation: its name in the interface's definition, and its method."""

    name: str
    method: Callable[[Call], Answer | Later]


class Interface(msgspec.Struct, frozen=True):
    """An interface that a server has registered.

    Attributes:
        syntax: its guid and version.
        name: in its definition.
        operations: by opnum.
        causal: its operations' first parameter is an ORPCTHIS.
        limited: the application's call limit counts its calls.
    """

    syntax: Syntax
    name: str
    operations: Mapping[int, Operation]
    causal: bool = False
    limited: bool = False


def by_guid(interfaces: Iterable[Interface]) -> Mapping[bytes, Interface]:
    """Make the dispatch table of a server: every guid stands for one version only."""
    return MappingProxyType({each.syntax.guid: each for each in interfaces})


def causality_id(stub: bytes, little: bool) -> str | None:
    """Read the causality id of the ORPCTHIS that a stub begins with; None if there is none.

    It is read before anything else is, so that whatever becomes of the call can be told by its id.
    """
    form = _CAUSALITY[not little]
    if len(stub) < form.size:
        return None
    low, middle, high, rest = form.unpack_from(stub)
    if not (low or middle or high or any(rest)):
        return None
    last = rest.hex()  # twice as fast as uuid.UUID
    return f"{low:08x}-{middle:04x}-{high:04x}-{last[:4]}-{last[4:]}"
