"""Interfaces and transfer syntaxes: a guid and a version; guids as they stand on the wire."""

import re
from typing import Final, NamedTuple
from uuid import UUID

NIL: Final = bytes(16)

_GUID = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?")


def guid_of(text: str) -> bytes:
    """Read a guid, with or without braces and in any case, as its 16 little-endian bytes.

    Raises:
        ValueError: it is not one.
    """
    match = _GUID.fullmatch(text)
    if match is None or (text[0] == "{") != (text[-1] == "}"):
        raise ValueError(
            f"{text[:64]!r} is not a guid such as 8a885d04-1ceb-11c9-9fe8-08002b104860"
        )
    return UUID(match[1]).bytes_le


def guid_text(guid: bytes) -> str:
    """Write a guid in lower case and without braces.

    Raises:
        ValueError: it is not 16 bytes.
    """
    return str(UUID(bytes_le=guid))


class Syntax(NamedTuple):
    """What an interface or a transfer syntax is told apart by (C706 12.6.3.1, p_syntax_id_t)."""

    guid: bytes
    major: int
    minor: int

    def __str__(self) -> str:
        return f"{guid_text(self.guid)} v{self.major}.{self.minor}"


NDR: Final = Syntax(guid_of("8a885d04-1ceb-11c9-9fe8-08002b104860"), 2, 0)
"""The transfer syntax that everybody speaks (C706 14)."""

NDR64: Final = Syntax(guid_of("71710533-beba-4937-8319-b5dbef9ccc36"), 1, 0)
"""The transfer syntax of 64-bit Windows (MS-RPCE 2.2.5); a 32-bit Server 2003 has none."""

NO_SYNTAX: Final = Syntax(NIL, 0, 0)
"""The transfer syntax of an answer that accepts none."""

_FEATURES = guid_of("6cb71c2c-9812-4540-0000-000000000000")[:8]


def is_feature_negotiation(transfer: Syntax) -> bool:
    """Tell whether this is the bind-time feature negotiation of MS-RPCE 3.3.1.5.3.

    Its guid begins with 8 fixed bytes; the other 8 hold the features.
    """
    return transfer.guid[:8] == _FEATURES and transfer.major == 1 and transfer.minor == 0
