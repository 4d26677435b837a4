"""From what the socket layer says to how the attempt ended: one table, one place."""

import errno
import ssl
from typing import Final

from vaultstorm_wire.outcome import Ending, Phase

ENDINGS: Final[dict[int, Ending]] = {
    errno.ECONNREFUSED: Ending.REFUSED,
    errno.EHOSTUNREACH: Ending.REFUSED,
    errno.EACCES: Ending.REFUSED,
    errno.ETIMEDOUT: Ending.TIMEOUT,
    errno.ECONNRESET: Ending.RESET,
    errno.ECONNABORTED: Ending.RESET,
    errno.ENOTCONN: Ending.RESET,
    errno.EPIPE: Ending.CLOSED,
}
"""What an errno of the network means.

EHOSTUNREACH and EACCES are a router's answer (ICMP). ENOTCONN is what a connection says whose RST
has been reported before. The kernel turns a RST that follows a FIN into EPIPE (tcp_reset() in
net/ipv4/tcp_input.c). Everything else is the client's own machine.
"""

AFTER_HANDSHAKE: Final = frozenset({errno.ECONNRESET, errno.EPIPE})
"""What SO_ERROR says of a connect() that had succeeded.

A RST in SYN_SENT gives ECONNREFUSED and nothing else (tcp_reset()): here the handshake was complete
and the next phase had begun.
"""


def ending(error: OSError) -> Ending:
    """Tell how an attempt ended that met `error` on its socket."""
    if isinstance(error, ssl.SSLError):
        return _tls_ending(error)
    return ENDINGS.get(error.errno or 0, Ending.LOCAL)


def errno_name(error: OSError) -> str | None:
    """Name the errno of `error`; None for what OpenSSL, not the kernel, found."""
    if isinstance(error, ssl.SSLError) or not error.errno:
        return None
    return errno.errorcode.get(error.errno)


def detail(error: OSError) -> str:
    """Say what `error` says beyond its errno."""
    if isinstance(error, ssl.SSLError):
        return getattr(error, "verify_message", None) or error.reason or str(error)
    return error.strerror or str(error)


def settle(phase: Phase, ending: Ending, reused: bool) -> tuple[Phase, Ending]:
    """Say in which phase an attempt ended that met `ending` in `phase`, where the two do not agree.

    Args:
        phase: as far as the client thought it had come.
        ending: what it met.
        reused: the connection had carried an answer before.
    """
    if ending is Ending.REFUSED and phase is not Phase.CONNECT:
        return phase, Ending.TIMEOUT  # ICMP: the peer of a connection that stood has gone silent
    if ending is Ending.REJECTED and phase is not Phase.BIND:
        if reused or phase is Phase.RECEIVE:
            return phase, Ending.CLOSED  # an alert ends the connection; this server had accepted it
        return Phase.TLS, ending  # TLS 1.3 clients send before the server has judged them
    return phase, ending


def _tls_ending(error: ssl.SSLError) -> Ending:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Ending.CLOSED
    if isinstance(error, ssl.SSLCertVerificationError):
        return Ending.REJECTED
    reason = error.reason or ""
    if "ALERT" in reason:
        return Ending.REJECTED
    return Ending.LOCAL if reason == "MALLOC_FAILURE" else Ending.MALFORMED
