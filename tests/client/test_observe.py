"""From errors to endings."""

import errno
import ssl

import pytest

from vaultstorm_client.observe import ending, errno_name
from vaultstorm_wire.outcome import Ending


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
