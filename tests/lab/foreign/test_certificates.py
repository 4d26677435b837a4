"""Certificates for foreign servers."""

import ssl
import stat
from pathlib import Path

import pytest

from vaultstorm.foreign import certificates
from vaultstorm_wire.errors import MachineError


def test_a_certificate_belongs_to_its_key_and_its_authority(tmp_path: Path) -> None:
    """The key is PKCS #8, and its owner's alone."""
    made = certificates.make(tmp_path / "tls", "127.0.0.1")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made["cert"], made["key"])
    ssl.create_default_context(cafile=made["ca"])
    assert Path(made["key"]).read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert stat.S_IMODE(Path(made["key"]).stat().st_mode) == 0o600


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """It is the machine that will not do it."""
    (tmp_path / "tls").touch()
    with pytest.raises(MachineError, match=r"^cannot write .*tls: "):
        certificates.make(tmp_path / "tls", "127.0.0.1")
