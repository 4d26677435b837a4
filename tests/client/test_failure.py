"""How a layer of a probe failed; through sockets in test_probe.py."""

import errno
import ssl

import pytest

from vaultstorm_client.failure import Failed, failed
from vaultstorm_client.meaning import UNTRUSTED
from vaultstorm_wire.outcome import Phase


@pytest.mark.parametrize(
    "phase, error, outcome, detail",
    [
        (Phase.CONNECT, OSError(errno.ECONNREFUSED, "x"), "connect.refused", "ECONNREFUSED"),
        (Phase.BIND, ConnectionResetError(errno.ECONNRESET, "x"), "bind.reset", "ECONNRESET"),
        (Phase.BIND, TimeoutError(), "bind.timeout", "timed out"),
        (Phase.WAIT, OSError(errno.ECONNREFUSED, "x"), "wait.reset", "ECONNREFUSED"),
        (Phase.SEND, BrokenPipeError(errno.EPIPE, "x"), "send.closed", "EPIPE"),
        (Phase.CONNECT, OSError(errno.EMFILE, "x"), "connect.local", "EMFILE"),
    ],
)
def test_an_error_of_the_socket(phase: Phase, error: OSError, outcome: str, detail: str) -> None:
    """It has an outcome of the table, and the errno's name."""
    met = failed(phase, error)
    assert (met.outcome, met.detail, met.means, met.win32) == (outcome, detail, "", None)
    assert failed(phase, error, 7).detail == f"{detail} after 7 bytes"


def test_an_untrusted_certificate() -> None:
    """The meaning says what can be done."""
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_message = "self-signed certificate"
    met = failed(Phase.TLS, error)
    assert (met.outcome, met.detail, met.means) == (
        "tls.rejected", "self-signed certificate", UNTRUSTED
    )  # fmt: skip


def test_a_refusal() -> None:
    """One that a server has said itself carries its own code."""
    met = Failed("bind.rejected", "bind_nak", "why", 1723)
    assert (met.outcome, met.detail, met.means, met.win32) == (
        "bind.rejected", "bind_nak", "why", 1723
    )  # fmt: skip
