"""From errors to endings."""

import errno
import ssl

import pytest

from vaultstorm_client.observe import detail, ending, errno_name, settle
from vaultstorm_wire.outcome import Ending, Phase


@pytest.mark.parametrize(
    "number, expected",
    [
        (errno.ECONNREFUSED, Ending.REFUSED),
        (errno.EHOSTUNREACH, Ending.REFUSED),
        (errno.ETIMEDOUT, Ending.TIMEOUT),
        (errno.ECONNRESET, Ending.RESET),
        (errno.EPIPE, Ending.CLOSED),
        (errno.EMFILE, Ending.LOCAL),
        (errno.ENFILE, Ending.LOCAL),
        (errno.EADDRNOTAVAIL, Ending.LOCAL),
        (errno.ENETUNREACH, Ending.LOCAL),
        (errno.ENOBUFS, Ending.LOCAL),
        (errno.ENOMEM, Ending.LOCAL),
    ],
)
def test_errnos(number: int, expected: Ending) -> None:
    """What the network says is the server's, everything else the client's own."""
    error = OSError(number, "x")
    assert ending(error) is expected
    assert errno_name(error) == errno.errorcode[number]


@pytest.mark.parametrize(
    "kind, reason, expected",
    [
        (ssl.SSLEOFError, "", Ending.CLOSED),
        (ssl.SSLZeroReturnError, "", Ending.CLOSED),
        (ssl.SSLCertVerificationError, "CERTIFICATE_VERIFY_FAILED", Ending.REJECTED),
        (ssl.SSLError, "SSLV3_ALERT_HANDSHAKE_FAILURE", Ending.REJECTED),
        (ssl.SSLError, "TLSV13_ALERT_CERTIFICATE_REQUIRED", Ending.REJECTED),
        (ssl.SSLError, "WRONG_VERSION_NUMBER", Ending.MALFORMED),
        (ssl.SSLError, None, Ending.MALFORMED),
        (ssl.SSLError, "MALLOC_FAILURE", Ending.LOCAL),
    ],
)
def test_tls(kind: type[ssl.SSLError], reason: str | None, expected: Ending) -> None:
    """OpenSSL's numbers are never taken for errnos."""
    error = kind(1, "x")
    error.reason = reason  # type: ignore[assignment]
    assert ending(error) is expected
    assert errno_name(error) is None


def test_without_an_errno() -> None:
    """An error that does not say what it is, is the client's own."""
    assert ending(OSError("x")) is Ending.LOCAL
    assert errno_name(OSError("x")) is None


@pytest.mark.parametrize(
    "phase, met, reused, expected",
    [
        (Phase.CONNECT, Ending.REFUSED, False, (Phase.CONNECT, Ending.REFUSED)),
        (Phase.WAIT, Ending.REFUSED, False, (Phase.WAIT, Ending.TIMEOUT)),
        (Phase.WAIT, Ending.REJECTED, False, (Phase.TLS, Ending.REJECTED)),
        (Phase.WAIT, Ending.REJECTED, True, (Phase.WAIT, Ending.CLOSED)),
        (Phase.RECEIVE, Ending.REJECTED, False, (Phase.RECEIVE, Ending.CLOSED)),
        (Phase.WAIT, Ending.RESET, True, (Phase.WAIT, Ending.RESET)),
        (Phase.BIND, Ending.REJECTED, False, (Phase.BIND, Ending.REJECTED)),
        (Phase.BIND, Ending.REFUSED, False, (Phase.BIND, Ending.TIMEOUT)),
    ],
)
def test_where_phase_and_ending_do_not_agree(
    phase: Phase, met: Ending, reused: bool, expected: tuple[Phase, Ending]
) -> None:
    """ICMP means silence, an alert TLS, or the end of a connection that TLS had let pass."""
    assert settle(phase, met, reused) == expected


def test_the_detail_is_what_the_error_says_beyond_its_errno() -> None:
    """The kernel's text, or OpenSSL's."""
    assert detail(OSError(errno.EMFILE, "Too many open files")) == "Too many open files"
    incoming = ssl.MemoryBIO()
    incoming.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ssl.SSLError) as raised:
        context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True).do_handshake()
    assert detail(raised.value) in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNSUPPORTED_PROTOCOL")
