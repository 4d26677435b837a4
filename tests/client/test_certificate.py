"""What is shown of a certificate."""

import ssl

import pytest
import trustme

from vaultstorm_client.certificate import Certificate, read

DAY = 86400.0


@pytest.mark.parametrize(
    "now, expiry",
    [
        (DAY - 1, "1970-01-11: not valid yet"),
        (DAY, "1970-01-11: in 9 days"),
        (10 * DAY, "1970-01-11: in 0 days"),
        (10 * DAY + 1, "1970-01-11: expired"),
    ],
)
def test_expiry(now: float, expiry: str) -> None:
    """The first and the last second of a certificate's life count as valid."""
    shown = Certificate(subject="CN=a", issuer="CN=b", not_before=DAY, not_after=10 * DAY)
    assert shown.facts(now)["expiry"] == expiry


@pytest.mark.parametrize(
    "count, shown", [(0, None), (1, "h0"), (4, "h0, h1, h2, h3"), (5, "h0, h1, h2, h3 and 1 more")]
)
def test_names(count: int, shown: str | None) -> None:
    """A long list of names is cut."""
    certificate = Certificate(issuer="CN=b", names=tuple(f"h{index}" for index in range(count)))
    assert certificate.facts(0.0).get("names") == shown


def test_reading() -> None:
    """Subject, issuer and names come out of a real certificate."""
    leaf = trustme.CA().issue_cert("a.test", "127.0.0.1", common_name="vault")
    shown = read(_der(leaf))
    assert "CN=vault" in shown.subject
    assert shown.names == ("a.test", "127.0.0.1")
    assert shown.not_before < shown.not_after


def _der(leaf: trustme.LeafCert) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())


@pytest.mark.parametrize("der", [b"", b"\x30", b"no certificate"])
def test_garbage(der: bytes) -> None:
    """What is no certificate is shown as nothing."""
    assert read(der).facts(0.0) == {}
