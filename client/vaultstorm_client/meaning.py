"""What a failed layer says about the server behind it, in one sentence each."""

from typing import Final

from vaultstorm_wire.outcome import Phase

_OVERRUN = (
    "the handshake was completed and a RST followed before anything was served: the accept queue "
    "is overrun (Windows with SynAttackProtect on, KB960007), or a filter resets the connection"
)
UNRESOLVED: Final = "resolve.failed"
"""What a probe calls it that a name has no address; no attempt can end so."""

UNTRUSTED: Final = (
    "the server's certificate is not trusted here: name its authority with --ca, or go on without "
    "trust by --insecure"
)
_HANG = (
    "the request was sent, nothing came back: the pool hangs, for instance as in TECH39579 (every "
    "ISAPI thread waits for an interface entry), or its worker process is stopped or stuck, or the "
    "answer needs longer than --timeout; restart IIS to be served again (iisreset; here: ctl "
    "iisreset), and install hotfix 12 if it is TECH39579 (here: ctl apply-hotfix TECH39579): of "
    "our own server, vaultstorm ctl status shows that as threads_held"
)

MEANINGS: Final[dict[str, str]] = {
    UNRESOLVED: "the name does not lead to an address: nothing was sent to any server",
    "connect.refused": (
        "a RST answered the SYN: nobody listens on this port, or the accept queue is overrun "
        "(Windows with SynAttackProtect off)"
    ),
    "connect.timeout": (
        "the SYN was never answered: a packet filter drops it, or the accept queue of a Linux "
        "server is overrun"
    ),
    "connect.reset": _OVERRUN,
    "connect.closed": (
        "the connection was accepted and closed at once: the server turns this client away"
    ),
    "tls.timeout": (
        "the port is open and TLS never answers: the kernel completed the handshake, but the "
        "application does not accept"
    ),
    "tls.reset": _OVERRUN,
    "tls.closed": (
        "the connection was accepted and closed before TLS was done: the server turns this client "
        "away, or has just ended"
    ),
    "tls.rejected": (
        "the server refused this client's TLS version, cipher, server name or lack of a certificate"
    ),
    "tls.malformed": (
        "what answers on this port does not speak TLS: if it is plain HTTP, probe http://"
    ),
    "send.timeout": "the server accepts and reads nothing: the request did not get through",
    "send.reset": _OVERRUN,
    "send.closed": "the connection was closed before the request was sent: it did not run",
    "wait.timeout": f"TCP connects, {_HANG}",
    "wait.reset": (
        "the connection was reset before a byte of the answer came: the server crashed with the "
        "request, or its accept queue is overrun"
    ),
    "wait.closed": (
        "the connection was closed instead of an answer: the server may have run the request, as "
        "in a recycle (KB908739)"
    ),
    "wait.malformed": "what answers on this port does not speak HTTP/1",
    "receive.timeout": "the answer began and stopped: the server stalled in the middle of it",
    "receive.reset": "the connection was reset in the middle of the answer: the server crashed",
    "receive.closed": "the answer ended too early: the server ended in the middle of it",
    "receive.malformed": "the answer is not what HTTP/1 allows",
    "http.503": (
        "the server answers and has nobody to do the work: the application pool is stopped, or "
        "its queue is full"
    ),
}
"""By outcome; `meaning` covers the rest."""


def meaning(outcome: str, through_tls: bool = False) -> str:
    """Say what `outcome` means for who reads it."""
    if outcome in MEANINGS:
        said = MEANINGS[outcome]
        works = outcome == "wait.timeout" and through_tls
        return said.replace("TCP connects", "TCP and TLS connect", 1) if works else said
    kind, _, ending = outcome.partition(".")
    if ending == "local":
        return "this machine could not do it (ports, descriptors, memory or no route): see doctor"
    if kind == "http":
        return f"the server answers, and says {ending}: the layers below work"
    return f"the connection ended in the phase {Phase(kind).value}"
