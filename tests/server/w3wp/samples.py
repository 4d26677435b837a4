"""Blocks, and a snapshot of them, for the tests of the store."""

import hashlib
import json

BLOCKS = (b"", b"\0" * 4096, bytes(range(256)) * 16)
NAMES = tuple(hashlib.sha256(block).hexdigest() for block in BLOCKS)
MANIFEST = json.dumps({"blocks": NAMES}).encode()
PLANTED = b"what a failing disk gives"


def named(data: bytes) -> tuple[str, bytes]:
    """Give a block with its name before it."""
    return hashlib.sha256(data).hexdigest(), data
