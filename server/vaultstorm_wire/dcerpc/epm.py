"""The endpoint mapper (C706 appendix O, MS-RPCE 2.2.1.2): at which port an interface is served."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.ndr import U32, Layout, NdrError, Reader, Writer
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of
from vaultstorm_wire.dcerpc.tower import TOWER_MAX
from vaultstorm_wire.dcerpc.tower import Floor as Floor  # for whoever has this module at hand
from vaultstorm_wire.dcerpc.tower import Tower as Tower

EPM: Final = Syntax(guid_of("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), 3, 0)
EPT_LOOKUP: Final = 2
EPT_MAP: Final = 3
EPT_LOOKUP_HANDLE_FREE: Final = 4

EPT_S_NOT_REGISTERED: Final = 0x16C9A0D6
EPT_S_CANT_PERFORM_OP: Final = 0x16C9A0CD

NULL_HANDLE: Final = bytes(20)
"""A context handle: attributes (4) and UUID (16), little endian."""

INQUIRE_ALL: Final = 0
INQUIRE_BY_INTERFACE: Final = 1
INQUIRE_BY_OBJECT: Final = 2
INQUIRE_BY_BOTH: Final = 3

VERS_ALL: Final = 1
VERS_COMPATIBLE: Final = 2
VERS_EXACT: Final = 3
VERS_MAJOR_ONLY: Final = 4
VERS_UPTO: Final = 5

ENTRIES_MAX: Final = 500
"""The most entries or towers that may be asked for at once (MS-RPCE 2.2.1.2.4, .5)."""

ANNOTATION_MAX: Final = 64
"""Bytes of an annotation, its terminator among them."""

_AFTER_REQUEST = 3  # the requests have two pointers, whose numbers are theirs for the whole call
_HANDLE = Layout("I16s", 4)
_IF_ID = Layout("16sHH", 4)
_ENTRY = Layout("16sIII", 4)
_VARYING = Layout("III", 4)


class Entry(NamedTuple):
    """One element of the endpoint map."""

    object: bytes
    tower: Tower | None
    annotation: str = ""


class EptLookupIn(NamedTuple):
    """Asks for elements of the map, `max_entries` at a time."""

    inquiry_type: int
    object: bytes | None
    interface: Syntax | None
    version_option: int
    handle: bytes
    max_entries: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer(full=1)
        writer.u32(self.inquiry_type)
        _write_object(writer, self.object)
        writer.pointer(self.interface is not None)
        if self.interface is not None:
            writer.write(_IF_ID, *self.interface)
        writer.u32(self.version_option)
        writer.raw(self.handle)
        writer.u32(self.max_entries)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "EptLookupIn":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        inquiry_type = reader.u32()
        uuid = _read_object(reader)
        interface = Syntax(*reader.read(_IF_ID)) if reader.pointer() else None
        option = reader.u32()
        return cls(inquiry_type, uuid, interface, option, _read_handle(reader), _read_max(reader))


class EptLookupOut(NamedTuple):
    """Some of the elements, and a handle to the rest: null with the last of them."""

    handle: bytes
    entries: tuple[Entry, ...]
    status: int
    max_entries: int
    """What was asked for: the size the array is declared with."""

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer(full=_AFTER_REQUEST)
        writer.raw(self.handle)
        writer.u32(len(self.entries))
        writer.write(_VARYING, self.max_entries, 0, len(self.entries))
        for uuid, tower, annotation in self.entries:
            text = annotation.encode("ascii", "replace")[: ANNOTATION_MAX - 1] + b"\0"
            writer.guid(uuid)
            writer.pointer(tower is not None)
            writer.u32(0)
            writer.u32(len(text))
            writer.raw(text)
        _write_towers(writer, [entry.tower for entry in self.entries])
        writer.u32(self.status)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "EptLookupOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        handle = _read_handle(reader)
        size, count = _read_varying(reader, _ENTRY.size + 1)
        rows = []
        for _ in range(count):
            uuid, pointer, offset, length = reader.read(_ENTRY)
            if offset or not 0 < length <= ANNOTATION_MAX:
                raise NdrError(f"an annotation of {length} from {offset}")
            text = reader.raw(length)
            if text[-1]:
                raise NdrError("an annotation without its terminator")
            rows.append((uuid, pointer, text[:-1].decode("latin-1")))
        towers = _read_towers(reader, [pointer for _, pointer, _ in rows])
        entries = tuple(
            [Entry(uuid, tower, text) for (uuid, _, text), tower in zip(rows, towers, strict=True)]
        )
        return cls(handle, entries, reader.u32(), size)


class EptMapIn(NamedTuple):
    """Asks where the interface of `tower` is served over the protocols of `tower`."""

    object: bytes | None
    tower: Tower | None
    handle: bytes
    max_towers: int

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer(full=1)
        _write_object(writer, self.object)
        writer.pointer(self.tower is not None)
        _write_towers(writer, [self.tower])
        writer.align(4)
        writer.raw(self.handle)
        writer.u32(self.max_towers)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "EptMapIn":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        uuid = _read_object(reader)
        (tower,) = _read_towers(reader, [reader.pointer()])
        return cls(uuid, tower, _read_handle(reader), _read_max(reader))


class EptMapOut(NamedTuple):
    """Where it is served, and a handle to more such places: null with the last of them."""

    handle: bytes
    towers: tuple[Tower, ...]
    status: int
    max_towers: int
    """What was asked for: the size the array is declared with."""

    def encode(self) -> bytes:
        """Give the stub."""
        writer = Writer(full=_AFTER_REQUEST)
        writer.raw(self.handle)
        writer.u32(len(self.towers))
        writer.write(_VARYING, self.max_towers, 0, len(self.towers))
        for _ in self.towers:
            writer.pointer()
        _write_towers(writer, self.towers)
        writer.u32(self.status)
        return writer.value()

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "EptMapOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        handle = _read_handle(reader)
        size, count = _read_varying(reader, 4)
        towers = _read_towers(reader, [reader.pointer() for _ in range(count)])
        found = tuple([tower for tower in towers if tower is not None])
        return cls(handle, found, reader.u32(), size)


class EptLookupHandleFreeIn(NamedTuple):
    """Ends an inquiry before its last element."""

    handle: bytes

    def encode(self) -> bytes:
        """Give the stub."""
        return self.handle

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "EptLookupHandleFreeIn":
        """Read a stub. Raises NdrError."""
        return cls(_read_handle(Reader(stub, little)))


class EptLookupHandleFreeOut(NamedTuple):
    """The handle that is no more."""

    handle: bytes
    status: int

    def encode(self) -> bytes:
        """Give the stub."""
        return self.handle + U32.pack(self.status)

    @classmethod
    def decode(cls, stub: bytes, little: bool = True) -> "EptLookupHandleFreeOut":
        """Read a stub. Raises NdrError."""
        reader = Reader(stub, little)
        return cls(_read_handle(reader), reader.u32())


def _read_handle(reader: Reader) -> bytes:
    return _HANDLE.pack(*reader.read(_HANDLE))


def _read_max(reader: Reader) -> int:
    asked = reader.u32()
    if asked > ENTRIES_MAX:
        raise NdrError(f"{asked} elements asked for, of {ENTRIES_MAX} at the most")
    return asked


def _read_varying(reader: Reader, size: int) -> tuple[int, int]:
    """Take the counts before an array; the elements that are there have `size` bytes or more."""
    count = reader.u32()
    size_max, offset, actual = reader.read(_VARYING)
    reader.same(actual, count)
    if offset or actual > size_max or actual * size > len(reader.data) - reader.position:
        raise NdrError(f"{actual} elements from {offset} in {size_max}")
    return size_max, actual


def _write_object(writer: Writer, uuid: bytes | None) -> None:
    writer.pointer(uuid is not None)
    if uuid is not None:
        writer.guid(uuid)


def _read_object(reader: Reader) -> bytes | None:
    return reader.guid() if reader.pointer() else None


def _write_towers(writer: Writer, towers: Iterable[Tower | None]) -> None:
    for tower in towers:
        if tower is not None:
            octets = tower.encode()
            writer.u32(len(octets))
            writer.u32(len(octets))
            writer.raw(octets)


def _read_towers(reader: Reader, pointers: list[int]) -> list[Tower | None]:
    """Take what the pointers point to; they are full ones: two may point to the same tower."""
    seen: dict[int, Tower | None] = {0: None}
    for pointer in pointers:
        if pointer not in seen:
            size = reader.count(TOWER_MAX)
            reader.same(size, reader.u32())
            seen[pointer] = Tower.decode(reader.raw(size))
    return [seen[pointer] for pointer in pointers]
