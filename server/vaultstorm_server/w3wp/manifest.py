"""What a snapshot is made of: ``{"blocks": [SHA-256, ...]}``, in order; one may come twice."""

import re
from typing import Final

import msgspec

DIGEST: Final = re.compile(r"[0-9a-f]{64}")
"""How a block is named."""
_SHOWN_MAX: Final = 80


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The blocks by their SHA-256."""

    blocks: list[str]


_decode: Final = msgspec.json.Decoder(Manifest).decode


def blocks_of(text: bytes) -> list[str]:
    """Read a manifest.

    Raises:
        ValueError: it is none; says what would be right.
    """
    try:
        blocks = _decode(text).blocks
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f'{error}: write {{"blocks": [SHA-256, ...]}}') from error
    for name in blocks:
        if not DIGEST.fullmatch(name):
            shown = name[:_SHOWN_MAX]
            raise ValueError(f"{shown!r} names no block: write 64 hex digits in lower case")
    return blocks
