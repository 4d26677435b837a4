"""How an attempt ended: phase and ending, and what other vocabularies call it.

An outcome is a string: ``ok``, ``http.503`` or ``rpc.0x1c010014`` when the attempt got a complete
answer, ``phase.ending`` (``connect.refused``, ``wait.timeout``) when it did not and is *lost*.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc import status as fault

OK: Final = "ok"
_FACILITY_WIN32: Final = 0x8007


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
        win32: the code that a Windows RPC client reports (MS-ERREF 2.2). A rejected bind has
            several, by its reason: an attempt carries the one of its own.
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
        return _wrapped(self.win32)


# MS-ERREF 2.2. Which failure gives which code: KB875417 (1727 after the handshake), "Dealing with
# Loss of Connectivity" in the RPC documentation (1726 once a request is out), RpcServerUseProtseq.
RPC_S_NOT_LISTENING: Final = 1715
RPC_S_UNKNOWN_IF: Final = fault.RPC_S_UNKNOWN_IF
RPC_S_OUT_OF_RESOURCES: Final = 1721
RPC_S_SERVER_UNAVAILABLE: Final = 1722
RPC_S_SERVER_TOO_BUSY: Final = 1723
RPC_S_CALL_FAILED: Final = 1726
RPC_S_CALL_FAILED_DNE: Final = 1727
RPC_S_PROTOCOL_ERROR: Final = 1728
RPC_S_UNSUPPORTED_TRANS_SYN: Final = fault.RPC_S_UNSUPPORTED_TRANS_SYN
RPC_S_UNKNOWN_AUTHN_SERVICE: Final = 1747
RPC_S_CALL_CANCELLED: Final = 1818
RPC_S_SEC_PKG_ERROR: Final = 1825

MESSAGES: Final[dict[int, str]] = {
    5: "Access is denied.",
    6: "The handle is invalid.",
    14: "Not enough storage is available to complete this operation.",
    87: "The parameter is incorrect.",
    1130: "Not enough server storage is available to process this command.",
    RPC_S_NOT_LISTENING: "The RPC server is not listening.",
    RPC_S_UNKNOWN_IF: "The interface is unknown.",
    RPC_S_OUT_OF_RESOURCES: "Not enough resources are available to complete this operation.",
    RPC_S_SERVER_UNAVAILABLE: "The RPC server is unavailable.",
    RPC_S_SERVER_TOO_BUSY: "The RPC server is too busy to complete this operation.",
    RPC_S_CALL_FAILED: "The remote procedure call failed.",
    RPC_S_CALL_FAILED_DNE: "The remote procedure call failed and did not execute.",
    RPC_S_PROTOCOL_ERROR: "A remote procedure call (RPC) protocol error occurred.",
    RPC_S_UNSUPPORTED_TRANS_SYN: "The transfer syntax is not supported by the RPC server.",
    1745: "The procedure number is out of range.",
    RPC_S_UNKNOWN_AUTHN_SERVICE: "The authentication service is unknown.",
    1752: "The server endpoint cannot perform the operation.",
    1753: "There are no more endpoints available from the endpoint mapper.",
    1783: "The stub received bad data.",
    RPC_S_CALL_CANCELLED: "The remote procedure call was cancelled.",
    1820: "The server was unable to communicate with the client.",
    RPC_S_SEC_PKG_ERROR: "A security package specific error occurred.",
    1910: "The object exporter specified was not found.",
    1911: "The object specified was not found.",
    1912: "The object resolver set specified was not found.",
}
"""The texts that Win32 codes are shown with (MS-ERREF 2.2, KB960007)."""

HRESULTS: Final[dict[int, str]] = {
    0x80004001: "Not implemented.",
    0x80004002: "No such interface supported.",
    0x8000FFFF: "Catastrophic failure.",
    0x80010108: "The object invoked has disconnected from its clients.",
    0x80010110: "The version of OLE on the client and server machines does not match.",
    0x80010111: "OLE received a packet with an invalid header.",
    0x80010113: "The requested object or interface does not exist.",
    0x80010114: "The requested object does not exist.",
    0x80040110: "Class does not support aggregation (or class object is remote).",
    0x80040111: "ClassFactory cannot supply requested class.",
    0x80040154: "Class not registered.",
    0x80080005: "Server execution failed.",
}
"""The texts of the HRESULTs that wrap no Win32 code (MS-ERREF 2.1)."""

NEVER_RAN: Final = frozenset(
    {
        fault.NCA_OP_RNG_ERROR,
        fault.NCA_UNK_IF,
        fault.NCA_SERVER_TOO_BUSY,
        fault.NCA_S_BAD_ACTID,
        fault.NCA_MANAGER_NOT_ENTERED,
        fault.NCA_INVALID_PRES_CONTEXT_ID,
    }
)
"""Faults that a server gives before it has found whom to hand the call to (C706 appendix E)."""

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
    """Name the outcome of a complete RPC answer: ``ok`` for 0, else its status.

    That of a fault, or the HRESULT of a response.
    """
    return OK if status == 0 else f"rpc.0x{status:08x}"


def is_lost(outcome: str) -> bool:
    """Tell whether an attempt with this outcome got no complete answer."""
    return outcome in NAMES


def may_have_executed(outcome: str) -> bool:
    """Tell whether the server may have run the request, as far as the client alone can know.

    True from the moment the whole request was sent: Jepsen's ``:info``. Before, it is ``:fail``,
    and so it is where an RPC server answers that it never came to running it.
    """
    if outcome in NAMES:
        return outcome.partition(".")[0] in (Phase.WAIT, Phase.RECEIVE)
    return _rpc_status(outcome) not in NEVER_RAN


def win32_of(outcome: str) -> int | None:
    """Give the code that a Windows RPC client reports.

    None for ``ok``, for HTTP answers, and for a status that is no Win32 code, as most HRESULTs are.
    """
    if outcome in NAMES:
        return NAMES[outcome].win32
    status = _rpc_status(outcome)
    return None if status is None else fault.win32(status)


def hresult_of(outcome: str, win32: int | None = None) -> str | None:
    """Give the HRESULT that a Windows application shows, such as ``0x800706BA``.

    Args:
        outcome: how the attempt ended.
        win32: the code of the attempt itself, where its outcome alone does not say.

    Returns:
        None for ``ok`` and for HTTP answers.
    """
    code = win32_of(outcome) if win32 is None else win32
    if code is not None:
        return _wrapped(code)
    status = _rpc_status(outcome)
    return None if status is None else f"0x{status:08X}"


def message_of(hresult: str) -> str | None:
    """Give the text that Windows has for an HRESULT; None where this table has none."""
    code = int(hresult, 16)
    return MESSAGES.get(code & 0xFFFF) if code >> 16 == _FACILITY_WIN32 else HRESULTS.get(code)


def _rpc_status(outcome: str) -> int | None:
    kind, _, status = outcome.partition(".")
    return int(status, 16) if kind == "rpc" else None


def _wrapped(win32: int) -> str:
    """Make an HRESULT of a Win32 code (HRESULT_FROM_WIN32)."""
    return f"0x{_FACILITY_WIN32 << 16 | win32:08X}"
