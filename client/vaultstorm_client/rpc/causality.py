"""Causality ids (MS-DCOM 1.3.5): what names an attempt on the wire and in both journals."""

import struct
from typing import NamedTuple

_WIRE = struct.Struct("<IHH")
_REST = struct.Struct(">II")


class Causality(NamedTuple):
    """One id: as it stands in an ORPCTHIS, and as text."""

    wire: bytes
    text: str


def causality(seed: int, client: int, made: int) -> Causality:
    """Name an attempt: the same for the same seed, however many processes share the burst.

    Read as the text of a UUID, it is the seed (8 bytes), the client (4) and the attempt (4).
    """
    high, middle, low = seed >> 32, seed >> 16 & 0xFFFF, seed & 0xFFFF
    text = f"{high:08x}-{middle:04x}-{low:04x}-{client >> 16:04x}-{client & 0xFFFF:04x}{made:08x}"
    return Causality(_WIRE.pack(high, middle, low) + _REST.pack(client, made), text)
