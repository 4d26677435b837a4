"""NDR, the transfer syntax (C706 chapter 14): how values stand in a stub.

Writing is little endian; reading takes either byte order. Guids are 16 little-endian bytes on our
side of both. What a stub says of its own sizes is checked against what is there before anything is
allocated for it.
"""

import codecs
import re
import struct
from collections.abc import Sequence
from typing import Any, Final

STRING_MAX: Final = 0x10000
"""Characters of a string, its terminator among them: above any name or path of Windows."""

_ITEM = re.compile(r"(\d*)([a-zA-Z])")

for _codec in ("utf-16-le", "utf-16-be"):
    codecs.lookup(_codec)  # a file: on the first use there may be no descriptor for it


class NdrError(ValueError):
    """The bytes are not what the interface's definition says they should be."""


class Layout:
    """Values that stand side by side with nothing variable between them, taken at once.

    Args:
        form: the letters of `struct`; ``16s`` is a guid, ``x`` a byte of padding within.
        align: what the first value is aligned to.
    """

    __slots__ = ("_big", "_guids", "align", "pack", "size", "unpack")

    def __init__(self, form: str, align: int) -> None:
        little = struct.Struct("<" + form)
        self._big = struct.Struct(">" + form)
        self.align = align
        self.size = little.size
        self.pack = little.pack
        self.unpack = little.unpack_from
        letters = [
            letter
            for count, letter in _ITEM.findall(form)
            for _ in range(1 if letter == "s" else int(count or 1))
            if letter != "x"
        ]
        self._guids = [index for index, letter in enumerate(letters) if letter == "s"]

    def unpack_big(self, data: bytes, position: int) -> tuple[Any, ...]:
        """Read big-endian values as `unpack` does little-endian ones. Raises struct.error."""
        values = list(self._big.unpack_from(data, position))
        for index in self._guids:
            values[index] = turn_guid(values[index])
        return tuple(values)


def turn_guid(guid: bytes) -> bytes:
    """Change a guid from one byte order to the other: its last 8 bytes have none."""
    return guid[3::-1] + guid[5:3:-1] + guid[7:5:-1] + guid[8:]


U8 = Layout("B", 1)
U16 = Layout("H", 2)
U32 = Layout("I", 4)
U64 = Layout("Q", 8)
GUID = Layout("16s", 4)
_VARYING = Layout("3I", 4)
_SIZES = {"H": 2, "I": 4, "Q": 8, "16s": 16}


class Writer:
    """Builds a stub; `data` is what there is of it.

    Args:
        full: the first referent id of full pointers (``ptr``). They are counted through the call
            and its answer, and a Server 2003 refuses any other number. Unique pointers have ids
            that mean nothing; by default they are numbered as MIDL's own stubs do it.
    """

    __slots__ = ("_referent", "_step", "data")

    def __init__(self, full: int | None = None) -> None:
        self.data = bytearray()
        self._referent = 0x00020000 if full is None else full
        self._step = 4 if full is None else 1

    def align(self, boundary: int) -> None:
        """Fill up with zeros to a multiple of `boundary`."""
        self.data += bytes(-len(self.data) % boundary)

    def write(self, layout: Layout, *values: int | bytes) -> None:
        """Put the values of a layout, aligned."""
        gap = -len(self.data) % layout.align
        if gap:
            self.data += bytes(gap)
        self.data += layout.pack(*values)

    def u8(self, value: int) -> None:
        """Put a byte."""
        self.data.append(value)

    def u16(self, value: int) -> None:
        """Put a short."""
        self.write(U16, value)

    def u32(self, value: int) -> None:
        """Put a long."""
        gap = -len(self.data) % 4
        if gap:
            self.data += bytes(gap)
        self.data += value.to_bytes(4, "little")

    def u64(self, value: int) -> None:
        """Put a hyper."""
        self.write(U64, value)

    def guid(self, value: bytes) -> None:
        """Put a guid."""
        self.write(GUID, value)

    def raw(self, data: bytes | bytearray) -> None:
        """Put bytes as they are."""
        self.data += data

    def pointer(self, present: bool = True) -> None:
        """Put a referent id that no other pointer of this stub has, or that of a null pointer."""
        if present:
            self.u32(self._referent)
            self._referent += self._step
        else:
            self.u32(0)

    def array(self, form: str, values: Sequence[int] | Sequence[bytes]) -> None:
        """Put a conformant array of primitives: ``H``, ``I``, ``Q`` or ``16s``."""
        self.u32(len(values))
        self.align(min(_SIZES[form], 8) if form != "16s" else 4)
        if form == "16s":
            self.data += b"".join(values)  # type: ignore[arg-type]
        else:
            self.data += struct.pack(f"<{len(values)}{form}", *values)

    def pointers(self, present: Sequence[bool]) -> None:
        """Put a conformant array of pointers, without what they point to."""
        self.u32(len(present))
        for there in present:
            self.pointer(there)

    def wide_string(self, text: str) -> None:
        """Put a conformant and varying string of 16-bit characters, with its terminator."""
        encoded = text.encode("utf-16-le", "surrogatepass") + bytes(2)
        self.write(_VARYING, len(encoded) // 2, 0, len(encoded) // 2)
        self.data += encoded

    def value(self) -> bytes:
        """Give the stub."""
        return bytes(self.data)


class Reader:
    """Takes a stub to pieces. Every method raises NdrError where the stub is not right.

    Args:
        data: the stub, or what else NDR stands in.
        little: its byte order.
        position: where to begin; alignment counts from the beginning of `data`.
    """

    __slots__ = ("data", "little", "position")

    def __init__(self, data: bytes, little: bool = True, position: int = 0) -> None:
        self.data = data
        self.little = little
        self.position = position

    def align(self, boundary: int) -> None:
        """Go on to a multiple of `boundary`."""
        self.position += -self.position % boundary

    def read(self, layout: Layout) -> tuple[Any, ...]:
        """Take the values of a layout, aligned."""
        position = self.position + (-self.position % layout.align)
        try:
            unpack = layout.unpack if self.little else layout.unpack_big
            values = unpack(self.data, position)
        except struct.error:
            raise NdrError(f"{layout.size} bytes at {position} of {len(self.data)}") from None
        self.position = position + layout.size
        return values

    def u8(self) -> int:
        """Take a byte."""
        return int(self.read(U8)[0])

    def u16(self) -> int:
        """Take a short."""
        return int(self.read(U16)[0])

    def u32(self) -> int:
        """Take a long."""
        position = self.position + (-self.position % 4)
        end = position + 4
        if end > len(self.data):
            raise NdrError(f"4 bytes at {position} of {len(self.data)}")
        self.position = end
        return int.from_bytes(self.data[position:end], "little" if self.little else "big")

    def u64(self) -> int:
        """Take a hyper."""
        return int(self.read(U64)[0])

    def guid(self) -> bytes:
        """Take a guid."""
        return bytes(self.read(GUID)[0])

    def raw(self, length: int) -> bytes:
        """Take `length` bytes as they are."""
        end = self.position + length
        if end > len(self.data):
            raise NdrError(f"{length} bytes at {self.position} of {len(self.data)}")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def pointer(self) -> int:
        """Take a referent id: 0 is a null pointer."""
        return self.u32()

    def reference(self, what: str) -> None:
        """Take the referent id of a pointer that may not be null."""
        if not self.u32():
            raise NdrError(f"{what} is null")

    def count(self, limit: int, size: int = 1) -> int:
        """Take the size of a conformant array, whose elements have `size` bytes or more."""
        count = self.u32()
        if count > limit:
            raise NdrError(f"{count} elements, of {limit} at the most")
        if count * size > len(self.data) - self.position:
            raise NdrError(f"{count} elements at {self.position} of {len(self.data)}")
        return count

    def same(self, count: int, expected: int) -> None:
        """Compare an array's size with what another field says it is."""
        if count != expected:
            raise NdrError(f"an array of {count}, declared as {expected}")

    def array(self, form: str, limit: int) -> tuple[int, ...]:
        """Take a conformant array of primitives: ``H``, ``I`` or ``Q``."""
        size = _SIZES[form]
        count = self.count(limit, size)
        start = self.position + (-self.position % size)
        self.position = start + count * size
        if self.position > len(self.data):
            raise NdrError(f"{count} elements at {start} of {len(self.data)}")
        order = "<" if self.little else ">"
        return struct.unpack_from(f"{order}{count}{form}", self.data, start)

    def guids(self, limit: int) -> tuple[bytes, ...]:
        """Take a conformant array of guids."""
        data = self.raw(16 * self.count(limit, 16))
        guids = [data[at : at + 16] for at in range(0, len(data), 16)]
        return tuple(guids if self.little else map(turn_guid, guids))

    def pointers(self, limit: int) -> tuple[int, ...]:
        """Take a conformant array of pointers: their referent ids."""
        return self.array("I", limit)

    def wide_string(self, limit: int = STRING_MAX) -> str:
        """Take a conformant and varying string of 16-bit characters, without its terminator."""
        _, encoded = self._varying(limit, 2)
        return encoded.decode("utf-16-le" if self.little else "utf-16-be", "replace")

    def sized_string(self, limit: int = STRING_MAX) -> tuple[int, str]:
        """Take a conformant and varying string of 8-bit characters: the room for it, and it."""
        room, encoded = self._varying(limit, 1)
        return room, encoded.decode("latin-1")

    def _varying(self, limit: int, size: int) -> tuple[int, bytes]:
        room, offset, count = self.read(_VARYING)
        if offset or not 0 < count <= min(room, limit):
            raise NdrError(f"a string of {count} from {offset} in {room}")
        encoded = self.raw(count * size)
        if encoded[-size:] != bytes(size):
            raise NdrError("a string without its terminator")
        return room, encoded[:-size]
