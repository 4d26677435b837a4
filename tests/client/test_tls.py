"""How the client trusts a server, seen from the outcomes."""

import ssl
from pathlib import Path

import pytest
import trustme

from tests.client.harness import fire_at
from tests.support.misbehaving import Misbehaving, answering
from vaultstorm_client.tls import client_context
from vaultstorm_wire.errors import UsageError


def test_trusted(tmp_path: Path, served: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    """A certificate of the named authority is good enough."""
    with Misbehaving(answering(), served) as server:
        fired = fire_at(server, tmp_path, "https", trusting, clients=3, requests=3)
    assert fired.outcomes == {"ok": 9}
    assert fired.result["latency_ms"]["tls"] is not None


def test_untrusted(tmp_path: Path, served: ssl.SSLContext) -> None:
    """A certificate of nobody we know is rejected, and says why."""
    stranger = client_context(None, insecure=False)
    with Misbehaving(answering(), served) as server:
        fired = fire_at(server, tmp_path, "https", stranger, clients=2)
    assert fired.outcomes == {"tls.rejected": 2}
    assert "certificate" in (fired.records[0].detail or "")
    assert server.seen == []


def test_wrong_name(tmp_path: Path, authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """A certificate for another name is rejected."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.test").configure_cert(context)
    with Misbehaving(answering(), context) as server:
        assert fire_at(server, tmp_path, "https", trusting).outcomes == {"tls.rejected": 1}


def test_insecure(tmp_path: Path, served: ssl.SSLContext) -> None:
    """Without checks any certificate will do."""
    with Misbehaving(answering(), served) as server:
        fired = fire_at(server, tmp_path, "https", client_context(None, insecure=True))
    assert fired.outcomes == {"ok": 1}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_certificate(
    tmp_path: Path, authority: trustme.CA, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    """An alert that judges the handshake is a rejection, whenever it comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Misbehaving(answering(), context) as server:
        fired = fire_at(server, tmp_path, "https", trusting, clients=3)
    assert set(fired.outcomes) <= {"tls.rejected", "send.reset", "wait.reset"}
    assert fired.outcomes["tls.rejected"] >= 1


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_no_authority(tmp_path: Path, content: bytes | None) -> None:
    """A file without certificates is the user's mistake."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match="--ca"):
        client_context(file, insecure=False)
