"""What an outcome most likely means, and what to look at: one line each."""

from typing import Final

from vaultstorm_wire.dcerpc import hresult
from vaultstorm_wire.dcerpc import status as fault
from vaultstorm_wire.outcome import is_lost

ADVICE: Final[dict[str, str]] = {
    "connect.refused": "RST to the SYN: nothing listens there, or a full accept backlog refuses; "
    "compare the burst with the server's backlog",
    "connect.timeout": "no answer to the SYN: a full accept queue or a firewall drops it; "
    "compare the burst with the server's backlog",
    "connect.reset": "RST right after the handshake: the accept backlog was full, or the server "
    "turned the connection away",
    "connect.closed": "the server closed the connection without having been asked anything",
    "tls.timeout": "TCP stands but TLS is not answered: the server does not accept, or hangs",
    "tls.reset": "RST after the TCP handshake: the accept backlog was full; raise it, or accept "
    "faster",
    "tls.closed": "the server closed before TLS was done: does it speak TLS on this port?",
    "tls.rejected": "one side refused the other: the certificate (--ca, --insecure) or a TLS alert",
    "tls.malformed": "what came back is not TLS: is this an http:// port?",
    "bind.timeout": "TCP stands but the RPC bind is not answered: the server does not accept, or "
    "hangs",
    "bind.reset": "RST after the TCP handshake: the accept backlog was full (raise it, or accept "
    "faster), or the server turned the connection away",
    "bind.closed": "the server closed before the RPC bind was done: does it speak RPC?",
    "bind.rejected": "the server refused the RPC bind: too busy, or it does not know the interface",
    "bind.malformed": "what came back is not DCE/RPC",
    "send.timeout": "the server stopped reading the request",
    "send.reset": "RST while the request was sent: it cannot have run",
    "send.closed": "closed while the request was sent: it cannot have run",
    "wait.timeout": "all sent, not one byte back: the hang; the server accepts but does not answer",
    "wait.reset": "RST after the whole request was sent: it may have run; a recycle or a crash",
    "wait.closed": "closed after the whole request was sent: it may have run; on a reused "
    "connection, a recycle",
    "wait.malformed": "the answer is not of this protocol",
    "receive.timeout": "the answer began and stopped",
    "receive.reset": "RST in the middle of the answer: the request ran at least in part",
    "receive.closed": "closed in the middle of the answer: the request ran at least in part",
    "receive.malformed": "the answer breaks the rules of its protocol",
}
"""By outcome; those of the client's own machine have one line together."""

LOCAL: Final = (
    "this machine's own limit (ports, descriptors, memory), its interruption, or an address that "
    "it cannot or may not go to: see `vaultstorm doctor`, and the details in the journal"
)


_STATUSES: Final[dict[int, str]] = {
    fault.NCA_SERVER_TOO_BUSY: "the server has as many calls in progress as it takes: this one did "
    "not run",
    fault.NCA_UNK_IF: "the port is not the one of this interface: its server may have restarted",
    fault.NCA_PROTO_ERROR: "the server could not read what it was sent",
    hresult.REGDB_E_CLASSNOTREG: "the resolver does not know the class",
    hresult.E_NOINTERFACE: "the object does not have the interface",
    hresult.RPC_E_DISCONNECTED: "the object is gone: the application restarted, or DCOM's garbage "
    "collection has taken it",
    hresult.E_OUTOFMEMORY: "the server has as many objects as it takes",
}


def advice(outcome: str) -> str:
    """Say in one line what `outcome` most likely means."""
    if outcome == "ok":
        return ""
    if outcome.endswith(".local"):
        return LOCAL
    if not is_lost(outcome):
        return _answered(outcome)
    return ADVICE[outcome]


def _answered(outcome: str) -> str:
    kind, _, status = outcome.partition(".")
    known = _STATUSES.get(int(status, 16)) if kind == "rpc" else None
    return known or "a complete answer, and an error: see the server's log"
