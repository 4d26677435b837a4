"""The header that every PDU of connection-oriented RPC begins with (C706 12.6.3, MS-RPCE 2.2.2)."""

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple


class Ptype(IntEnum):
    """What a PDU is."""

    REQUEST = 0
    RESPONSE = 2
    FAULT = 3
    BIND = 11
    BIND_ACK = 12
    BIND_NAK = 13
    ALTER_CONTEXT = 14
    ALTER_CONTEXT_RESP = 15
    AUTH3 = 16
    SHUTDOWN = 17
    CO_CANCEL = 18
    ORPHANED = 19


FIRST: Final = 0x01
LAST: Final = 0x02
PENDING_CANCEL: Final = 0x04
SUPPORT_HEADER_SIGN: Final = 0x04
"""What PENDING_CANCEL is in binds and their answers (MS-RPCE 2.2.2.3)."""
CONC_MPX: Final = 0x10
DID_NOT_EXECUTE: Final = 0x20
MAYBE: Final = 0x40
OBJECT_UUID: Final = 0x80
WHOLE: Final = FIRST | LAST

VERSION: Final = 5
MINOR: Final = 0
HEADER_SIZE: Final = 16
TRAILER_SIZE: Final = 8
FRAGMENT_MAX: Final = 0xFFFF
"""What the 16 bits of frag_length can say."""

MUST_RECV: Final = 1432
"""The fragment that everybody has to be able to read (C706 12.6.3.5, MustRecvFragSize)."""

LITTLE: Final = 0x10
"""drep of a little-endian, ASCII, IEEE sender (C706 14.1), read as a little-endian number."""

_LITTLE = Struct("<BBBBIHHI")
_BIG = Struct(">BBBBIHHI")
_INTEGERS = 0xF0  # the half of drep's first byte that is the byte order of integers


class PduError(ValueError):
    """A PDU does not hold what its type and lengths promise."""


class Header(NamedTuple):
    """A header as read: `little` is the byte order of everything after it."""

    version: int
    minor: int
    ptype: int
    flags: int
    little: bool
    frag_length: int
    auth_length: int
    call_id: int


def decode_header(buffer: bytes | bytearray, at: int) -> Header:
    """Read the 16 bytes at `at`, which must be there, whatever they say."""
    version, minor, ptype, flags, drep, length, auth, call_id = _LITTLE.unpack_from(buffer, at)
    little = drep & _INTEGERS == LITTLE
    if not little:
        _, _, _, _, _, length, auth, call_id = _BIG.unpack_from(buffer, at)
    return Header(version, minor, ptype, flags, little, length, auth, call_id)


def guid_in(buffer: bytes | bytearray, at: int, little: bool) -> bytes:
    """Read a guid of either byte order in the form of ours (C706 appendix A)."""
    guid = bytes(buffer[at : at + 16])
    return guid if little else guid[3::-1] + guid[5:3:-1] + guid[7:5:-1] + guid[8:]


def encode(ptype: Ptype, call_id: int, body: bytes, flags: int = WHOLE) -> bytes:
    """Write a whole PDU, little-endian and without authentication.

    Raises:
        PduError: it is longer than a fragment can be.
    """
    length = HEADER_SIZE + len(body)
    if length > FRAGMENT_MAX:
        raise PduError(f"a fragment cannot be {length} bytes long")
    return _LITTLE.pack(VERSION, MINOR, ptype, flags, LITTLE, length, 0, call_id) + body
