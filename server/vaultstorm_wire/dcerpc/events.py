"""What a connection says and is told: one value for each PDU, or for all fragments of a call."""

from enum import Enum
from typing import Final

from msgspec import Struct

from vaultstorm_wire.dcerpc.status import ContextResult
from vaultstorm_wire.dcerpc.syntax import Syntax


class Context(Struct, frozen=True):
    """A presentation context that a client proposes: an interface, in any of these syntaxes."""

    id: int
    abstract: Syntax
    transfers: tuple[Syntax, ...]


class ContextAnswer(Struct, frozen=True):
    """What a server makes of a presentation context; `reason` counts where it rejects."""

    result: ContextResult
    reason: int
    transfer: Syntax


class Auth(Struct, frozen=True):
    """The type and level of the authentication that a client asks for (MS-RPCE 2.2.1.1.7, .8)."""

    type: int
    level: int


class Bind(Struct, frozen=True):
    """A client proposes contexts: on a new connection, or `alter` on one that is bound.

    Attributes:
        group: the association group it wants to join, 0 for a new one.
        max_xmit: the largest fragment that the client will send.
        max_recv: the largest fragment that the client can read.
        auth: None where no authentication is asked for.
        multiplex: the client may have several calls at once on the connection (CONC_MPX).
        header_sign: the client can sign headers, should anything be signed (SUPPORT_HEADER_SIGN).
    """

    call_id: int
    contexts: tuple[Context, ...]
    group: int = 0
    max_xmit: int = 5840
    max_recv: int = 5840
    alter: bool = False
    auth: Auth | None = None
    multiplex: bool = False
    header_sign: bool = False


class BindAck(Struct, frozen=True):
    """A server answers a Bind, context by context.

    Attributes:
        max_xmit: the largest fragment that the server will send.
        max_recv: the largest fragment that the server can read.
        address: the port it listens on, as text; empty in the answer to an `alter`.
        multiplex: the server agrees to several calls at once; when sent, the client's wish counts.
        header_sign: the server can sign headers too; likewise.
    """

    call_id: int
    answers: tuple[ContextAnswer, ...]
    group: int
    max_xmit: int
    max_recv: int
    address: str = ""
    alter: bool = False
    multiplex: bool = False
    header_sign: bool = False


class BindNak(Struct, frozen=True):
    """A server will not have this connection: a `NakReason`, or what else stood there."""

    call_id: int
    reason: int


class Request(Struct, frozen=True):
    """A whole call; `little` is the byte order of its stub."""

    call_id: int
    context_id: int
    opnum: int
    stub: bytes
    object: bytes | None = None
    little: bool = True


class Response(Struct, frozen=True):
    """A whole answer; `little` is the byte order of its stub."""

    call_id: int
    context_id: int
    stub: bytes
    little: bool = True


class Fault(Struct, frozen=True):
    """A call, or the change of a context, failed.

    Attributes:
        did_not_execute: the server vouches that the call has not run (C706 12.6.3.1).
    """

    call_id: int
    context_id: int
    status: int
    did_not_execute: bool


class Cancel(Struct, frozen=True):
    """The client would like the call to end early; it still waits for the answer."""

    call_id: int


class Orphaned(Struct, frozen=True):
    """The client no longer waits for the answer. The connection is over (MS-RPCE, note 101)."""

    call_id: int


class Auth3(Struct, frozen=True):
    """The third leg of an authentication, which is never answered."""

    call_id: int


class Shutdown(Struct, frozen=True):
    """The server asks the client to close the connection."""


class Closed(Struct, frozen=True):
    """The peer will send no more."""


Event = (
    Bind
    | BindAck
    | BindNak
    | Request
    | Response
    | Fault
    | Cancel
    | Orphaned
    | Auth3
    | Shutdown
    | Closed
)


class NeedData(Enum):
    """What `next_event` gives when the bytes so far hold no event."""

    NEED_DATA = "need data"


NEED_DATA: Final = NeedData.NEED_DATA
