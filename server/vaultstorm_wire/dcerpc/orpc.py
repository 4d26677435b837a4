"""What goes before every ORPC call and its answer (MS-DCOM 2.2.13)."""

from typing import Final, NamedTuple

from vaultstorm_wire.dcerpc.ndr import Layout, NdrError, Reader, Writer


class ComVersion(NamedTuple):
    """COMVERSION: of the DCOM protocol itself."""

    major: int
    minor: int


COMVERSION: Final = ComVersion(5, 7)
"""What XP and Server 2003 speak; Windows 2000 speaks 5.6 (MS-DCOM 2.2.11)."""

_THIS = Layout("HHII16sI", 4)
_THAT = Layout("II", 4)
_EXTENT_ARRAY = Layout("III", 4)
_EXTENT = Layout("I16sI", 4)


class OrpcThis(NamedTuple):
    """ORPCTHIS: the version spoken, and the causality id that ties calls together."""

    version: ComVersion
    flags: int
    cid: bytes

    def write(self, writer: Writer) -> None:
        """Put it, without extensions."""
        writer.write(_THIS, *self.version, self.flags, 0, self.cid, 0)

    def encode(self) -> bytes:
        """Give it as the beginning of a stub."""
        return _THIS.pack(*self.version, self.flags, 0, self.cid, 0)

    @classmethod
    def read(cls, reader: Reader) -> "OrpcThis":
        """Take it, and pass over its extensions. Raises NdrError."""
        major, minor, flags, _, cid, extensions = reader.read(_THIS)
        if extensions:
            _skip_extensions(reader)
        return cls(ComVersion(major, minor), flags, cid)


class OrpcThat(NamedTuple):
    """ORPCTHAT."""

    flags: int = 0

    def write(self, writer: Writer) -> None:
        """Put it, without extensions."""
        writer.write(_THAT, self.flags, 0)

    def encode(self) -> bytes:
        """Give it as the beginning of a stub."""
        return _THAT.pack(self.flags, 0)

    @classmethod
    def read(cls, reader: Reader) -> "OrpcThat":
        """Take it, and pass over its extensions. Raises NdrError."""
        flags, extensions = reader.read(_THAT)
        if extensions:
            _skip_extensions(reader)
        return cls(flags)


def _skip_extensions(reader: Reader) -> None:
    """Pass over an ORPC_EXTENT_ARRAY: nothing that we speak is in one.

    Its array holds an even number of pointers, and each extent a multiple of 8 bytes.
    """
    size, _, extents = reader.read(_EXTENT_ARRAY)
    if not extents:
        return
    pointers = reader.pointers(len(reader.data))
    reader.same(len(pointers), size + size % 2)
    for pointer in pointers:
        if pointer:
            room, _, length = reader.read(_EXTENT)
            if room != length + -length % 8:
                raise NdrError(f"an extent of {length} bytes in {room}")
            reader.raw(room)
