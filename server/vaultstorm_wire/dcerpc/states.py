"""The rules that bind both ends of a connection: which PDU may follow which, and who may send it.

A state is one of the connection, not of an end: what one end sends moves it at both. What is not
a key is not allowed.
"""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Which end of the connection this is."""

    CLIENT = "client"
    SERVER = "server"


class State(StrEnum):
    """What has been agreed so far (MS-RPCE 3.3.2, 3.3.3)."""

    ESTABLISHED = "established"
    """The transport stands, and nothing else."""
    BINDING = "binding"
    """A bind waits for its answer."""
    BOUND = "bound"
    ALTERING = "altering"
    """An alter_context waits for its answer; calls go on beside it."""
    REFUSED = "refused"
    """A bind_nak ended it: what is left is to close."""
    CLOSED = "closed"


class Kind(StrEnum):
    """What is sent."""

    BIND = "bind"
    BIND_ACK = "bind_ack"
    BIND_NAK = "bind_nak"
    ALTER = "alter_context"
    ALTER_RESP = "alter_context_resp"
    ALTER_FAULT = "fault to an alter_context"
    REQUEST = "request"
    RESPONSE = "response"
    FAULT = "fault"
    CANCEL = "co_cancel"
    ORPHANED = "orphaned"
    AUTH3 = "auth3"
    SHUTDOWN = "shutdown"
    CLOSE = "close"


SENDS: Final[dict[Role, frozenset[Kind]]] = {
    Role.CLIENT: frozenset(
        {
            Kind.BIND,
            Kind.ALTER,
            Kind.AUTH3,
            Kind.REQUEST,
            Kind.CANCEL,
            Kind.ORPHANED,
            Kind.CLOSE,
        }
    ),
    Role.SERVER: frozenset(
        {
            Kind.BIND_ACK,
            Kind.BIND_NAK,
            Kind.ALTER_RESP,
            Kind.ALTER_FAULT,
            Kind.RESPONSE,
            Kind.FAULT,
            Kind.SHUTDOWN,
            Kind.CLOSE,
        }
    ),
}

# Windows Server 2003 and earlier close the connection after an orphaned PDU, whoever's it was
# (MS-RPCE, note 101): for others the call would end and the connection stay.
_CALLS = {
    Kind.REQUEST,
    Kind.RESPONSE,
    Kind.FAULT,
    Kind.CANCEL,
    Kind.SHUTDOWN,
}

TRANSITIONS: Final[dict[State, dict[Kind, State]]] = {
    State.ESTABLISHED: {
        Kind.BIND: State.BINDING,
        Kind.CLOSE: State.CLOSED,
    },
    State.BINDING: {
        Kind.BIND_ACK: State.BOUND,
        Kind.BIND_NAK: State.REFUSED,
        Kind.CLOSE: State.CLOSED,
    },
    State.BOUND: {
        **dict.fromkeys(_CALLS, State.BOUND),
        Kind.AUTH3: State.BOUND,
        Kind.ALTER: State.ALTERING,
        Kind.ORPHANED: State.CLOSED,
        Kind.CLOSE: State.CLOSED,
    },
    State.ALTERING: {
        **dict.fromkeys(_CALLS, State.ALTERING),
        Kind.ALTER_RESP: State.BOUND,
        Kind.ALTER_FAULT: State.BOUND,
        Kind.BIND_NAK: State.REFUSED,
        Kind.ORPHANED: State.CLOSED,
        Kind.CLOSE: State.CLOSED,
    },
    State.REFUSED: {
        Kind.CLOSE: State.CLOSED,
    },
    State.CLOSED: {
        Kind.CLOSE: State.CLOSED,
    },
}
