"""How an attempt ended: phase and ending, and what other vocabularies call it.

An outcome is a string: ``ok``, ``http.503`` or ``rpc.0x1c010014`` when the attempt got a complete
answer, ``phase.ending`` (``connect.refused``, ``wait.timeout``) when it did not and is *lost*.
"""

from enum import StrEnum
from typing import Final, NamedTuple

OK: Final = "ok"


class Phase(StrEnum):
    """How far an attempt had come."""

    CONNECT = "connect"
    TLS = "tls"
    BIND = "bind"
    SEND = "send"
    WAIT = "wait"
    RECEIVE = "receive"


class Ending(StrEnum):
    """What ended it there."""

    REFUSED = "refused"
    """RST answered the SYN, or the network said that the address cannot be reached."""
    TIMEOUT = "timeout"
    """The phase took longer than the attempt was given."""
    RESET = "reset"
    """RST on an established connection."""
    CLOSED = "closed"
    """FIN before the answer was complete."""
    REJECTED = "rejected"
    """The peer, or the check of its certificate, said no: a TLS alert, a bind_nak."""
    MALFORMED = "malformed"
    """The peer sent what the protocol does not allow."""
    LOCAL = "local"
    """The client's own machine was out of ports, descriptors or memory, or has no route."""


class Names(NamedTuple):
    """What other vocabularies call one outcome.

    Attributes:
        errno: the name of the errno that a Linux client meets; None where an end of file, not an
            error, is what it meets.
        win32: the code that a Windows RPC client reports (MS-ERREF 2.2).
        proxy_status: the error type of RFC 9209, section 2.3.
        nel: the type of W3C Network Error Logging, section 6.
    """

    errno: str | None
    win32: int
    proxy_status: str
    nel: str

    @property
    def hresult(self) -> str:
        """The HRESULT an application shows, as in KB960007 (HRESULT_FROM_WIN32)."""
        return f"0x{0x80070000 | self.win32:08X}"


# MS-ERREF 2.2. Which failure gives which code: KB875417 (1727 after the handshake), "Dealing with
# Loss of Connectivity" in the RPC documentation (1726 once a request is out), RpcServerUseProtseq.
RPC_S_OUT_OF_RESOURCES: Final = 1721
RPC_S_SERVER_UNAVAILABLE: Final = 1722
RPC_S_SERVER_TOO_BUSY: Final = 1723
RPC_S_CALL_FAILED: Final = 1726
RPC_S_CALL_FAILED_DNE: Final = 1727
RPC_S_PROTOCOL_ERROR: Final = 1728
RPC_S_CALL_CANCELLED: Final = 1818
RPC_S_SEC_PKG_ERROR: Final = 1825

MESSAGES: Final[dict[int, str]] = {
    RPC_S_OUT_OF_RESOURCES: "Not enough resources are available to complete this operation.",
    RPC_S_SERVER_UNAVAILABLE: "The RPC server is unavailable.",
    RPC_S_SERVER_TOO_BUSY: "The RPC server is too busy to complete this operation.",
    RPC_S_CALL_FAILED: "The remote procedure call failed.",
    RPC_S_CALL_FAILED_DNE: "The remote procedure call failed and did not execute.",
    RPC_S_PROTOCOL_ERROR: "A remote procedure call (RPC) protocol error occurred.",
    RPC_S_CALL_CANCELLED: "The remote procedure call was cancelled.",
    RPC_S_SEC_PKG_ERROR: "A security package specific error occurred.",
}
"""The texts that the codes above are shown with (MS-ERREF 2.2, KB960007)."""

# A request that was not sent whole cannot have run: up to and with `send` the code is "did not
# execute". RFC 9209 speaks of a proxy's next hop; `local` is the proxy's own trouble there.
_DNE, _FAILED = RPC_S_CALL_FAILED_DNE, RPC_S_CALL_FAILED
_NONE, _BUSY = RPC_S_OUT_OF_RESOURCES, RPC_S_SERVER_TOO_BUSY
_GONE, _CANCELLED = RPC_S_SERVER_UNAVAILABLE, RPC_S_CALL_CANCELLED
_PROTOCOL, _SECURITY = RPC_S_PROTOCOL_ERROR, RPC_S_SEC_PKG_ERROR
_LOCAL = Names("EADDRNOTAVAIL", _NONE, "proxy_internal_error", "tcp.failed")

NAMES: Final[dict[str, Names]] = {
    "connect.refused": Names("ECONNREFUSED", _GONE, "connection_refused", "tcp.refused"),
    "connect.timeout": Names("ETIMEDOUT", _GONE, "connection_timeout", "tcp.timed_out"),
    "connect.reset": Names("ECONNRESET", _DNE, "connection_terminated", "tcp.reset"),
    "connect.closed": Names(None, _DNE, "connection_terminated", "tcp.closed"),
    "connect.local": _LOCAL,
    "tls.timeout": Names("ETIMEDOUT", _DNE, "connection_timeout", "tls.failed"),
    "tls.reset": Names("ECONNRESET", _DNE, "connection_terminated", "tcp.reset"),
    "tls.closed": Names(None, _DNE, "connection_terminated", "tcp.closed"),
    "tls.rejected": Names(None, _SECURITY, "tls_alert_received", "tls.failed"),
    "tls.malformed": Names("EPROTO", _SECURITY, "tls_protocol_error", "tls.protocol.error"),
    "tls.local": _LOCAL,
    "bind.timeout": Names("ETIMEDOUT", _CANCELLED, "connection_read_timeout", "tcp.timed_out"),
    "bind.reset": Names("ECONNRESET", _DNE, "connection_terminated", "tcp.reset"),
    "bind.closed": Names(None, _DNE, "connection_terminated", "tcp.closed"),
    "bind.rejected": Names(None, _BUSY, "connection_limit_reached", "tcp.failed"),
    "bind.malformed": Names("EPROTO", _PROTOCOL, "connection_terminated", "tcp.failed"),
    "bind.local": _LOCAL,
    "send.timeout": Names("ETIMEDOUT", _DNE, "connection_write_timeout", "tcp.timed_out"),
    "send.reset": Names("ECONNRESET", _DNE, "connection_terminated", "tcp.reset"),
    "send.closed": Names("EPIPE", _DNE, "connection_terminated", "tcp.closed"),
    "send.local": _LOCAL,
    "wait.timeout": Names("ETIMEDOUT", _CANCELLED, "connection_read_timeout", "tcp.timed_out"),
    "wait.reset": Names("ECONNRESET", _FAILED, "connection_terminated", "tcp.reset"),
    "wait.closed": Names(None, _FAILED, "connection_terminated", "tcp.closed"),
    "wait.malformed": Names("EPROTO", _PROTOCOL, "http_protocol_error", "http.protocol.error"),
    "wait.local": _LOCAL,
    "receive.timeout": Names("ETIMEDOUT", _FAILED, "connection_read_timeout", "tcp.timed_out"),
    "receive.reset": Names("ECONNRESET", _FAILED, "http_response_incomplete", "tcp.reset"),
    "receive.closed": Names(None, _FAILED, "http_response_incomplete", "http.response.invalid"),
    "receive.malformed": Names("EPROTO", _PROTOCOL, "http_protocol_error", "http.protocol.error"),
    "receive.local": _LOCAL,
}
"""Every loss there is, and its other names. What is not a key cannot happen: nobody refuses a
connection that stands, and a `send` carries nothing of the peer's that could be malformed."""


def lost(phase: Phase, ending: Ending) -> str:
    """Name the outcome of an attempt that got no complete answer.

    Raises:
        KeyError: there is no such outcome (``send.refused``).
    """
    outcome = f"{phase.value}.{ending.value}"
    if outcome not in NAMES:
        raise KeyError(outcome)
    return outcome


def answered_http(status: int) -> str:
    """Name the outcome of a complete HTTP answer: ``ok`` below 400, ``http.503`` from there on."""
    return OK if status < 400 else f"http.{status}"


def answered_rpc(status: int) -> str:
    """Name the outcome of a complete RPC answer: ``ok`` for 0, else the fault's status."""
    return OK if status == 0 else f"rpc.0x{status:08x}"


def is_lost(outcome: str) -> bool:
    """Tell whether an attempt with this outcome got no complete answer."""
    return outcome in NAMES


def may_have_executed(outcome: str) -> bool:
    """Tell whether the server may have run the request, as far as the client alone can know.

    True from the moment the whole request was sent: Jepsen's ``:info``. Before, it is ``:fail``.
    """
    return outcome not in NAMES or outcome.partition(".")[0] in (Phase.WAIT, Phase.RECEIVE)
