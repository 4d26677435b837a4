"""Type serialization: impacket's headers and ours, padding, and what is too short."""

import pytest
from impacket.dcerpc.v5.dtypes import ULONG
from impacket.dcerpc.v5.rpcrt import TypeSerialization1

from tests.support.stubs import refuses_every_cut
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.serialization import HEADERS, deserialize, serialize


class Pair(TypeSerialization1):  # type: ignore[misc]
    """Two longs as impacket serializes them."""

    structure = (("first", ULONG), ("second", ULONG))


def test_the_headers_are_the_ones_impacket_writes() -> None:
    """But for the private header's filler, which has to be zero (MS-RPCE 2.2.6.2)."""
    pair = Pair()
    pair["first"], pair["second"] = 7, 8
    serialized = serialize(b"\7\0\0\0\10\0\0\0")
    assert pair.getData()[:12] + bytes(4) + pair.getData()[16:] == serialized
    assert (Pair(serialized)["first"], Pair(serialized)["second"]) == (7, 8)
    reader = deserialize(pair.getData())
    assert (reader.u32(), reader.u32()) == (7, 8)


@pytest.mark.parametrize("length, padded", [(0, 0), (1, 8), (7, 8), (8, 8), (9, 16)])
def test_a_type_is_filled_up_to_8(length: int, padded: int) -> None:
    """The padding counts as part of it, the headers do not."""
    serialized = serialize(bytes(length))
    assert len(serialized) == HEADERS + padded
    assert serialized[8] == padded


def test_big_endian_types_are_read() -> None:
    """The common header is little endian even then; the length and the type are not."""
    data = bytes.fromhex("01000800cccccccc00000008000000000000000700000008")
    reader = deserialize(data)
    assert (reader.u32(), reader.u32()) == (7, 8)


def test_what_is_behind_a_type_is_not_read() -> None:
    """A reader ends where the header says."""
    reader = deserialize(serialize(bytes(8)) + bytes(8))
    reader.u64()
    with pytest.raises(NdrError):
        reader.u32()


@pytest.mark.parametrize(
    "headers",
    [
        "02100800cccccccc0000000000000000",
        "01200800cccccccc0000000000000000",
        "01100900cccccccc0000000000000000",
        "01100800cccccccc0800000000000000",
        "01100800ccccccccffffffff00000000",
    ],
)
def test_other_headers_are_refused(headers: str) -> None:
    """Another version, byte order or header length, and more than there is."""
    with pytest.raises(NdrError):
        deserialize(bytes.fromhex(headers))


def test_headers_that_are_cut_off_are_refused() -> None:
    """Whatever byte they end before."""
    refuses_every_cut(deserialize, serialize(bytes(8)))
