"""Type serialization version 1 (MS-RPCE 2.2.6): a type in a buffer of its own, no call around it.

A common header of 8 bytes says the byte order, a private one the length; the type follows, filled
up to a multiple of 8.
"""

import struct

from vaultstorm_wire.dcerpc.ndr import NdrError, Reader

HEADERS = 16
_HEADERS = struct.Struct("<BBHIII")
_LITTLE, _BIG = 0x10, 0x00


def serialize(value: bytes | bytearray) -> bytes:
    """Put the headers before a type's NDR, and the padding after it."""
    gap = -len(value) % 8
    return _HEADERS.pack(1, _LITTLE, 8, 0xCCCCCCCC, len(value) + gap, 0) + value + bytes(gap)


def deserialize(data: bytes) -> Reader:
    """Give a reader that stands behind the headers.

    Raises:
        NdrError: they are not headers of version 1, or say more than there is.
    """
    try:
        version, order, length, _, buffer_length, _ = _HEADERS.unpack_from(data)
    except struct.error:
        raise NdrError("no room for the headers of a serialized type") from None
    # The common header is always little endian; what comes after it has the byte order it states.
    if version != 1 or order not in (_LITTLE, _BIG) or length != 8:
        raise NdrError(f"type serialization {version}, byte order {order:#x}, header {length}")
    if order == _BIG:
        buffer_length = int.from_bytes(data[8:12], "big")
    if buffer_length > len(data) - HEADERS:
        raise NdrError(f"a serialized type of {buffer_length} in {len(data) - HEADERS}")
    return Reader(data[: HEADERS + buffer_length], order == _LITTLE, HEADERS)
