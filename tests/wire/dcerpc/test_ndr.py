"""NDR: alignment, both byte orders, strings and arrays, and everything that is not there."""

import struct
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impacket.dcerpc.v5.dtypes import LPWSTR, UUID
from impacket.dcerpc.v5.ndr import NDRCALL

from tests.support.command import environment
from tests.support.stubs import IPID, refuses_every_cut
from vaultstorm_wire.dcerpc.ndr import U64, Layout, NdrError, Reader, Writer, turn_guid

MIXED = Layout("BxH16sI", 4)


class Named(NDRCALL):  # type: ignore[misc]
    """A guid and a string as impacket marshals them."""

    structure = (("id", UUID), ("name", LPWSTR))


def test_strings_need_no_file() -> None:
    """Their codecs are there from the start: who is out of descriptors can still read answers."""
    code = "import sys, vaultstorm_wire.dcerpc.ndr; print(*sorted(sys.modules))"
    modules = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"encodings.utf_16_le", "encodings.utf_16_be"} <= set(modules)


def test_values_are_aligned_to_their_size() -> None:
    """A short, a long, a hyper and a guid each begin at a multiple of what they are."""
    writer = Writer()
    writer.u8(1)
    writer.u16(2)
    writer.u8(3)
    writer.u32(4)
    writer.u64(5)
    writer.u8(6)
    writer.guid(IPID)
    expected = "01 00 0200 03 000000 04000000 00000000 0500000000000000 06 000000"
    assert writer.value() == bytes.fromhex(expected) + IPID
    reader = Reader(writer.value())
    assert (reader.u8(), reader.u16(), reader.u8(), reader.u32()) == (1, 2, 3, 4)
    assert (reader.u64(), reader.u8(), reader.guid()) == (5, 6, IPID)
    assert reader.position == len(writer.value())


def test_both_byte_orders_are_read() -> None:
    """A layout gives the same values from either, guids in our order."""
    little = MIXED.pack(1, 2, IPID, 3)
    big = struct.pack(">BxH16sI", 1, 2, turn_guid(IPID), 3)
    assert Reader(little).read(MIXED) == (1, 2, IPID, 3)
    assert Reader(big, little=False).read(MIXED) == (1, 2, IPID, 3)


def test_a_guid_turns_its_first_three_fields() -> None:
    """The last eight bytes have no order."""
    assert turn_guid(bytes(range(16))).hex() == "030201000504070608090a0b0c0d0e0f"
    assert turn_guid(turn_guid(IPID)) == IPID


def test_pointers_have_numbers_of_their_own() -> None:
    """Unique pointers count as MIDL does it, full ones by one; a null pointer is 0."""
    unique, full = Writer(), Writer(full=3)
    for writer in (unique, full):
        writer.pointers([True, False, True])
        writer.pointer()
    assert Reader(unique.value()).pointers(3) == (0x20000, 0, 0x20004)
    assert Reader(full.value()).pointers(3) == (3, 0, 4)
    assert unique.value()[-4:] == struct.pack("<I", 0x20008)
    assert full.value()[-4:] == struct.pack("<I", 5)


def test_a_reference_may_not_be_null() -> None:
    """The name of the pointer is in the message."""
    with pytest.raises(NdrError, match="pIIDs is null"):
        Reader(bytes(4)).reference("pIIDs")
    Reader(b"\x01\0\0\0").reference("pIIDs")


@pytest.mark.parametrize("form, size", [("H", 2), ("I", 4), ("Q", 8)])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_arrays_are_read_in_both_byte_orders(form: str, size: int, count: int) -> None:
    """The count comes first, the elements at a multiple of their size."""
    values = tuple(range(1, count + 1))
    writer = Writer()
    writer.array(form, values)
    gap = 4 if form == "Q" else 0
    assert writer.value() == struct.pack(f"<I{gap}x{count}{form}", count, *values)
    assert Reader(writer.value()).array(form, count) == values
    big = struct.pack(f">I{gap}x{count}{form}", count, *values)
    assert Reader(big, little=False).array(form, count) == values
    refuses_every_cut(lambda data: Reader(data).array(form, count), writer.value())


@pytest.mark.parametrize("form", ["H", "I", "Q"])
def test_an_array_is_not_longer_than_its_limit(form: str) -> None:
    """N elements are taken, and N+1 refused, whatever there is behind them."""
    for count, taken in ((4, True), (5, False)):
        data = struct.pack("<I", count) + bytes(100)
        if taken:
            assert Reader(data).array(form, 4) == (0,) * 4
        else:
            with pytest.raises(NdrError, match="5 elements, of 4 at the most"):
                Reader(data).array(form, 4)


def test_an_array_is_not_longer_than_the_stub() -> None:
    """Two thousand million elements are refused before anything is made of them."""
    data = struct.pack("<I", 2**31 - 1) + bytes(16)
    with pytest.raises(NdrError, match="2147483647 elements at 4 of 20"):
        Reader(data).array("Q", 2**32)
    with pytest.raises(NdrError, match="2147483647 elements at 4 of 20"):
        Reader(data).guids(2**32)


def test_guids_are_read_in_both_byte_orders() -> None:
    """An array of guids is turned element by element."""
    writer = Writer()
    writer.array("16s", (IPID, bytes(16)))
    assert Reader(writer.value()).guids(2) == (IPID, bytes(16))
    big = struct.pack(">I", 2) + turn_guid(IPID) + bytes(16)
    assert Reader(big, little=False).guids(2) == (IPID, bytes(16))


def test_impacket_and_we_write_strings_alike() -> None:
    """A string that impacket marshals is read, and the same bytes are written."""
    call = Named()
    call["id"] = IPID
    call["name"] = "würzburg\0"
    data = call.getData()
    reader = Reader(data)
    assert reader.guid() == IPID
    assert reader.pointer()
    start = reader.position
    assert reader.wide_string() == "würzburg"
    writer = Writer()
    writer.wide_string("würzburg")
    assert data[start : start + len(writer.value())] == writer.value()


@pytest.mark.parametrize(
    "words, why",
    [
        ((3, 0, 0), "a string of 0"),
        ((3, 1, 2), "from 1"),
        ((1, 0, 2), "in 1"),
        ((70000, 0, 65537), "a string of 65537"),
        ((2, 0, 2), "without its terminator"),
    ],
)
def test_strings_that_are_none_are_refused(words: tuple[int, int, int], why: str) -> None:
    """A string begins at 0, fits its array and ends with a null character."""
    data = struct.pack("<III", *words) + b"abcd" * 40000
    with pytest.raises(NdrError, match=why):
        Reader(data).wide_string()
    with pytest.raises(NdrError, match=why):
        Reader(data).sized_string()


def test_strings_of_8_bit_characters_say_their_room() -> None:
    """The room is what the array was declared with, not the string's length."""
    data = struct.pack("<III4s", 9, 0, 4, b"abc\0")
    assert Reader(data).sized_string() == (9, "abc")
    refuses_every_cut(lambda cut: Reader(cut).sized_string(), data)


def test_lone_surrogates_do_not_get_into_text() -> None:
    """A name of Windows may be no UTF-16; what is read can always be written to a journal."""
    data = struct.pack("<III4H", 4, 0, 4, 0x61, 0xD800, 0x62, 0)
    assert Reader(data).wide_string() == "a\ufffdb"


def test_raw_bytes_are_there_or_not() -> None:
    """As many as there are can be taken, and not one more."""
    reader = Reader(b"abc")
    assert reader.raw(3) == b"abc"
    assert reader.raw(0) == b""
    with pytest.raises(NdrError, match="1 bytes at 3 of 3"):
        reader.raw(1)


def test_nothing_is_read_behind_the_end() -> None:
    """Alignment past the end is no excuse."""
    for data in (b"", bytes(4), bytes(8), bytes(15)):
        reader = Reader(data, position=len(data))
        with pytest.raises(NdrError):
            reader.read(U64)
        with pytest.raises(NdrError):
            reader.u32()


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50), st.integers(0, 3))
def test_any_text_comes_back(text: str, before: int) -> None:
    """Whatever stands before it, and whatever characters are in it."""
    writer = Writer()
    writer.raw(bytes(before))
    writer.wide_string(text)
    assert Reader(writer.value(), position=before).wide_string() == text
