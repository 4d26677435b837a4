"""ORPCTHIS and ORPCTHAT: impacket's and ours, and extensions that are passed over."""

import struct

import pytest
from impacket.dcerpc.v5 import dcomrt
from impacket.dcerpc.v5.dtypes import ULONG

from tests.support.stubs import CID, THIS, refuses_every_cut
from vaultstorm_wire.dcerpc.ndr import NdrError, Reader, Writer
from vaultstorm_wire.dcerpc.orpc import COMVERSION, ComVersion, OrpcThat, OrpcThis


class Extended(dcomrt.DCOMCALL):  # type: ignore[misc]
    """A call with one parameter behind its extensions."""

    structure = (("after", ULONG),)


def _extended(sizes: list[int]) -> bytes:
    """Give an ORPCTHIS with an extent of each size, and a long of 0xA5A5A5A5 behind it."""
    array = len(sizes) + len(sizes) % 2
    parts = [THIS.encode()[:28], struct.pack("<I", 0x20000)]
    parts.append(struct.pack("<IIII", len(sizes), 0, 0x20004, array))
    parts += [struct.pack("<I", 0x20008 + 4 * n if n < len(sizes) else 0) for n in range(array)]
    for size in sizes:
        room = size + -size % 8
        parts.append(struct.pack("<I16sI", room, bytes(16), size) + b"\xee" * room)
    return b"".join(parts) + struct.pack("<I", 0xA5A5A5A5)


def _read(data: bytes) -> tuple[OrpcThis, int]:
    reader = Reader(data)
    return OrpcThis.read(reader), reader.u32()


def test_impacket_and_we_agree() -> None:
    """The version, the flags and the causality id are where each looks for them."""
    call = Extended()
    call["ORPCthis"]["flags"] = 1
    call["ORPCthis"]["cid"] = CID
    call["ORPCthis"]["extensions"] = dcomrt.NULL
    call["after"] = 9
    assert _read(call.getData()) == (OrpcThis(COMVERSION, 1, CID), 9)
    ours = Extended(OrpcThis(ComVersion(5, 1), 3, CID).encode() + struct.pack("<I", 9))
    version = ours["ORPCthis"]["version"]
    assert (version["MajorVersion"], version["MinorVersion"]) == (5, 1)
    assert (ours["ORPCthis"]["flags"], ours["ORPCthis"]["cid"], ours["after"]) == (3, CID, 9)


def test_what_is_written_at_once_is_what_is_written_in_a_stub() -> None:
    """Both ways of encoding give the same bytes."""
    for header in (THIS, OrpcThat(7)):
        writer = Writer()
        header.write(writer)
        assert writer.value() == header.encode()


@pytest.mark.parametrize("sizes", [[], [0], [1], [8], [9, 16], [3, 0, 24]])
def test_extensions_are_passed_over(sizes: list[int]) -> None:
    """What stands behind them is found, however many and long they are."""
    data = _extended(sizes)
    assert _read(data) == (THIS, 0xA5A5A5A5)
    refuses_every_cut(_read, data)


def test_an_empty_extension_array_may_be_null() -> None:
    """The array itself is a pointer too."""
    data = THIS.encode()[:28] + struct.pack("<IIIII", 1, 0, 0, 0, 7)
    assert _read(data) == (THIS, 7)
    that = struct.pack("<IIIIII", 5, 1, 0, 0, 0, 7)
    reader = Reader(that)
    assert (OrpcThat.read(reader), reader.u32()) == (OrpcThat(5), 7)


def test_extensions_that_contradict_themselves_are_refused() -> None:
    """An array of another size than it says, and an extent in more or less room than it needs."""
    head = THIS.encode()[:28]
    with pytest.raises(NdrError, match="an array of 3, declared as 2"):
        _read(head + struct.pack("<IIIII", 1, 2, 0, 1, 3) + bytes(64))
    for room in (8, 24):
        extent = struct.pack("<I16sI", room, bytes(16), 9) + bytes(32)
        with pytest.raises(NdrError, match=f"an extent of 9 bytes in {room}"):
            _read(head + struct.pack("<IIIIIII", 1, 1, 0, 1, 2, 1, 0) + extent)


def test_more_extensions_than_bytes_are_refused() -> None:
    """A count of two thousand million ends the reading, not the memory."""
    head = THIS.encode()[:28]
    with pytest.raises(NdrError):
        _read(head + struct.pack("<IIIII", 1, 2**31, 0, 1, 2**31) + bytes(64))
