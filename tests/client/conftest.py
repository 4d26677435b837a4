"""Certificates for servers, and the trust of clients."""

import ssl
from pathlib import Path

import pytest
import trustme

from vaultstorm_client.tls import client_context


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Make an authority that nobody trusts by himself."""
    return trustme.CA()


@pytest.fixture(scope="session")
def served(authority: trustme.CA) -> ssl.SSLContext:
    """Give the context of a server on 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Give the context of a client that trusts `authority`."""
    file: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return client_context(file, insecure=False)
