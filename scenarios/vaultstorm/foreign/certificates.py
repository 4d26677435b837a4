"""A certificate for a foreign server, of an authority that nothing else trusts."""

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vaultstorm_wire.errors import MachineError

_LIFETIME: Final = datetime.timedelta(days=30)
FILES: Final = {"cert": "cert.pem", "key": "key.pem", "ca": "ca.pem"}


def make(directory: Path, host: str) -> Mapping[str, str]:
    """Make certificate, key and authority for a host, and give their files by placeholder.

    The key is PKCS #8, which every server reads; it can be read by its owner alone.

    Raises:
        MachineError: the directory cannot be written.
    """
    import trustme
    from cryptography.hazmat.primitives import serialization

    authority = trustme.CA(organization_name="vaultstorm", organization_unit_name="test authority")
    now = datetime.datetime.now(datetime.UTC)
    issued = authority.issue_cert(
        *sorted({host, "localhost", "127.0.0.1"}), organization_name="vaultstorm",
        not_before=now - datetime.timedelta(days=1), not_after=now + _LIFETIME,
    )  # fmt: skip
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    made = {
        "cert": b"".join(pem.bytes() for pem in issued.cert_chain_pems),
        "key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        "ca": authority.cert_pem.bytes(),
    }
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, pem in made.items():
            descriptor = os.open(
                directory / FILES[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
            )
            with open(descriptor, "wb") as file:
                file.write(pem)
    except OSError as error:
        raise MachineError(f"cannot write {directory}: {error.strerror}") from error
    return {name: str(directory / file) for name, file in FILES.items()}
