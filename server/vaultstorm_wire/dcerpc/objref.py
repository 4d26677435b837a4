"""Object references (MS-DCOM 2.2.18) and the addresses in them (2.2.19), always little endian."""

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from vaultstorm_wire.dcerpc.ndr import Layout, NdrError, Reader, Writer

TOWER_TCP = 0x07
"""The protocol sequence ncacn_ip_tcp (MS-DCOM 2.2.19.3)."""

SORF_NOPING = 0x1000
NULL_GUID = bytes(16)

OBJREF_SIGNATURE = 0x574F454D  # "MEOW"
OBJREF_STANDARD = 0x1
OBJREF_CUSTOM = 0x4

WORDS_MAX = 0xFFFF  # of a DUALSTRINGARRAY: wNumEntries has 16 bits
_STANDARD = struct.Struct("<II16sIIQQ16s")
_CUSTOM = struct.Struct("<II16s16sII")
_ENTRIES = struct.Struct("<HH")
_SIZED_ENTRIES = Layout("IHH", 4)
_TWICE = Layout("II", 4)


class StringBinding(NamedTuple):
    """Where something is reached: a protocol sequence, and ``host[port]`` or ``host``."""

    tower: int
    address: str


class SecurityBinding(NamedTuple):
    """An authentication service that is offered, and under what name."""

    authn: int
    authz: int = 0xFFFF
    principal: str = ""


class DualStringArray(NamedTuple):
    """How a resolver or an object exporter is reached."""

    strings: tuple[StringBinding, ...]
    security: tuple[SecurityBinding, ...] = ()

    def encode(self) -> bytes:
        """Give it as it stands in an object reference.

        Raises:
            ValueError: it is longer than its own count can say, or a name has a null character.
        """
        return _encoded(self)

    @classmethod
    def decode(cls, data: bytes, offset: int = 0) -> "DualStringArray":
        """Read one out of an object reference.

        Raises:
            NdrError: it is cut off, or its parts do not end in it.
        """
        try:
            entries, security = _ENTRIES.unpack_from(data, offset)
        except struct.error:
            raise NdrError("no room for a DUALSTRINGARRAY") from None
        words = data[offset + 4 : offset + 4 + 2 * entries]
        if len(words) < 2 * entries:
            raise NdrError(f"a DUALSTRINGARRAY of {entries} words in {len(words)} bytes")
        return _decoded(words, security)

    def write(self, writer: Writer) -> None:
        """Put it as a parameter: a structure with a conformant array at its end."""
        encoded = _encoded(self)
        writer.u32((len(encoded) - 4) // 2)
        writer.raw(encoded)

    @classmethod
    def read(cls, reader: Reader) -> "DualStringArray":
        """Take one that is a parameter. Raises NdrError."""
        size, entries, security = reader.read(_SIZED_ENTRIES)
        reader.same(size, entries)
        words = reader.raw(2 * entries)
        if not reader.little:
            words = struct.pack(f"<{entries}H", *struct.unpack(f">{entries}H", words))
        return _decoded(words, security)


@lru_cache(64)
def _encoded(array: DualStringArray) -> bytes:
    """A server gives out the same few arrays in every answer: they are built once."""
    strings = b"".join(_U16.pack(tower) + _name(address) for tower, address in array.strings)
    security = b"".join(
        _U16.pack(authn) + _U16.pack(authz) + _name(principal)
        for authn, authz, principal in array.security
    )
    # The smallest array is four zeros, two for each empty part (MS-DCOM 2.2.19.1).
    words = (strings or bytes(2)) + bytes(2)
    offset = len(words) // 2
    words += security + bytes(2)
    # An even number of words: whoever does not align finds what comes behind them as well.
    words += bytes(len(words) % 4)
    if len(words) // 2 > WORDS_MAX:
        raise ValueError(f"bindings of {len(words) // 2} words, of {WORDS_MAX} at the most")
    return _ENTRIES.pack(len(words) // 2, offset) + words


def _name(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("a binding with a null character in it")
    return text.encode("utf-16-le", "surrogatepass") + bytes(2)


_U16 = struct.Struct("<H")
_CACHED_MAX = 1024  # bytes: what a server says of itself is short; strangers fill no cache


def _decoded(words: bytes, security: int) -> DualStringArray:
    return (_split_cached if len(words) <= _CACHED_MAX else _split)(words, security)


def _split(words: bytes, security: int) -> DualStringArray:
    values = struct.unpack(f"<{len(words) // 2}H", words)
    if not values:
        return DualStringArray(())  # of a null resolver: no addresses at all
    if security > len(values):
        raise NdrError(f"security bindings at word {security} of {len(values)}")
    strings = []
    at = 0
    while _word(values, at, security):
        end = _terminator(values, at + 1, security)
        strings.append(StringBinding(values[at], _text(words, at + 1, end)))
        at = end + 1
    offered = []
    at = security
    while _word(values, at, len(values)):
        end = _terminator(values, at + 2, len(values))
        offered.append(SecurityBinding(values[at], values[at + 1], _text(words, at + 2, end)))
        at = end + 1
    return DualStringArray(tuple(strings), tuple(offered))


_split_cached = lru_cache(64)(_split)


def _word(values: tuple[int, ...], at: int, end: int) -> int:
    if at >= end:
        raise NdrError("bindings without their terminator")
    return values[at]


def _terminator(values: tuple[int, ...], at: int, end: int) -> int:
    try:
        return values.index(0, at, end)
    except ValueError:
        raise NdrError("a binding without its terminator") from None


def _text(words: bytes, start: int, end: int) -> str:
    return words[2 * start : 2 * end].decode("utf-16-le", "replace")


class StdObjRef(NamedTuple):
    """One interface of one object, and how many references to it are handed over."""

    flags: int
    public_refs: int
    oxid: int
    oid: int
    ipid: bytes


class ObjRef(NamedTuple):
    """OBJREF_STANDARD: a reference, and the resolver that knows its exporter."""

    iid: bytes
    std: StdObjRef
    resolver: DualStringArray

    def encode(self) -> bytes:
        """Marshal it."""
        return _STANDARD.pack(OBJREF_SIGNATURE, OBJREF_STANDARD, self.iid, *self.std) + _encoded(
            self.resolver
        )

    @classmethod
    def decode(cls, data: bytes) -> "ObjRef":
        """Unmarshal one.

        Raises:
            NdrError: it is none, or one of another kind.
        """
        try:
            signature, flags, iid, *std = _STANDARD.unpack_from(data)
        except struct.error:
            raise NdrError(f"an OBJREF of {len(data)} bytes") from None
        if signature != OBJREF_SIGNATURE or flags != OBJREF_STANDARD:
            raise NdrError(f"no OBJREF_STANDARD: signature {signature:#x}, flags {flags:#x}")
        return cls(iid, StdObjRef(*std), DualStringArray.decode(data, _STANDARD.size))


class CustomObjRef(NamedTuple):
    """OBJREF_CUSTOM: what an unmarshaler class makes of it is its own business."""

    iid: bytes
    clsid: bytes
    data: bytes

    def encode(self) -> bytes:
        """Marshal it."""
        size = len(self.data) + 8
        header = (OBJREF_SIGNATURE, OBJREF_CUSTOM, self.iid, self.clsid, 0, size)
        return _CUSTOM.pack(*header) + self.data

    @classmethod
    def decode(cls, data: bytes) -> "CustomObjRef":
        """Unmarshal one.

        Raises:
            NdrError: it is none, or one of another kind.
        """
        try:
            signature, flags, iid, clsid, _, _ = _CUSTOM.unpack_from(data)
        except struct.error:
            raise NdrError(f"an OBJREF of {len(data)} bytes") from None
        if signature != OBJREF_SIGNATURE or flags != OBJREF_CUSTOM:
            raise NdrError(f"no OBJREF_CUSTOM: signature {signature:#x}, flags {flags:#x}")
        return cls(iid, clsid, data[_CUSTOM.size :])


def write_interface(writer: Writer, marshaled: bytes) -> None:
    """Put an MInterfacePointer (MS-DCOM 2.2.14): the bytes of a reference, twice counted."""
    writer.write(_TWICE, len(marshaled), len(marshaled))
    writer.raw(marshaled)


def read_interface(reader: Reader) -> bytes:
    """Take an MInterfacePointer. Raises NdrError."""
    size, again = reader.read(_TWICE)
    reader.same(size, again)
    return reader.raw(size)


def write_references(writer: Writer, references: Sequence[ObjRef | None]) -> None:
    """Put a conformant array of pointers to MInterfacePointers."""
    writer.pointers([reference is not None for reference in references])
    for reference in references:
        if reference is not None:
            write_interface(writer, reference.encode())


def read_references(reader: Reader, limit: int) -> tuple[ObjRef | None, ...]:
    """Take a conformant array of pointers to MInterfacePointers. Raises NdrError."""
    return tuple(
        [
            ObjRef.decode(read_interface(reader)) if pointer else None
            for pointer in reader.pointers(limit)
        ]
    )
