"""The certificate that every server in a run shows: EC P-256, so that all pay the same."""

from pathlib import Path
from typing import NamedTuple

import trustme


class Certificate(NamedTuple):
    """Where its files are."""

    chain: Path
    key: Path
    ca: Path


def make(folder: Path) -> Certificate:
    """Make one for localhost and 127.0.0.1 in `folder`."""
    ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
    leaf = ca.issue_cert("localhost", "127.0.0.1", key_type=trustme.KeyType.ECDSA)
    made = Certificate(folder / "chain.pem", folder / "key.pem", folder / "ca.pem")
    made.chain.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(made.key)
    made.key.chmod(0o600)
    ca.cert_pem.write_to_path(made.ca)
    return made
