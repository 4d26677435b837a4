"""Object references and their addresses: impacket's and ours, even words, and broken ends."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impacket.dcerpc.v5 import dcomrt

from tests.support.stubs import (
    CLSID,
    EXPORTER,
    IID,
    IPID,
    OID,
    OXID,
    REFERENCE,
    RESOLVER,
    STD,
    refuses_every_cut,
)
from vaultstorm_wire.dcerpc.ndr import NdrError, Reader, Writer
from vaultstorm_wire.dcerpc.objref import (
    TOWER_TCP,
    CustomObjRef,
    DualStringArray,
    ObjRef,
    SecurityBinding,
    StringBinding,
    read_interface,
    read_references,
    write_interface,
    write_references,
)

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
ARRAYS = st.builds(
    DualStringArray,
    st.lists(st.builds(StringBinding, st.integers(1, 0xFFFF), NAMES), max_size=4).map(tuple),
    st.lists(
        st.builds(SecurityBinding, st.integers(1, 0xFFFF), st.integers(0, 0xFFFF), NAMES),
        max_size=3,
    ).map(tuple),
)


def _words(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}H", *words)


def test_the_smallest_array_is_four_zeros() -> None:
    """Two for each of its empty parts (MS-DCOM 2.2.19.1)."""
    assert DualStringArray(()).encode() == _words(4, 2, 0, 0, 0, 0)
    assert DualStringArray.decode(_words(4, 2, 0, 0, 0, 0)) == DualStringArray(())


def test_an_array_stands_as_the_specification_has_it() -> None:
    """Each binding ends with a zero, and each part with another; the words are even."""
    array = DualStringArray((StringBinding(7, "a"),), (SecurityBinding(10), SecurityBinding(9, 1)))
    assert array.encode() == _words(12, 4, 7, 0x61, 0, 0, 10, 0xFFFF, 0, 9, 1, 0, 0, 0)


@pytest.mark.parametrize("length", range(5))
@pytest.mark.parametrize("security", [(), (SecurityBinding(10),), (SecurityBinding(10, 1, "ab"),)])
def test_words_are_even(length: int, security: tuple[SecurityBinding, ...]) -> None:
    """What stands behind them is aligned to 4, whatever the names' lengths."""
    array = DualStringArray((StringBinding(TOWER_TCP, "h" * length),), security)
    entries, _ = struct.unpack_from("<HH", array.encode())
    assert entries % 2 == 0
    assert len(array.encode()) == 4 + 2 * entries
    assert DualStringArray.decode(array.encode()) == array


def test_an_array_without_words_has_no_addresses() -> None:
    """The null resolver of a reference that never leaves its machine."""
    assert DualStringArray.decode(bytes(4)) == DualStringArray(())


@pytest.mark.parametrize(
    "words, why",
    [
        ((3, 1, 0, 0), "3 words in 4 bytes"),
        ((2, 3, 0, 0), "security bindings at word 3 of 2"),
        ((2, 0, 0, 0), "bindings without their terminator"),
        ((4, 3, 7, 0x61, 0x62, 0), "a binding without its terminator"),
        ((4, 3, 7, 0x61, 0, 0), "bindings without their terminator"),
        ((4, 1, 0, 10, 0xFFFF, 0x61), "a binding without its terminator"),
        ((4, 1, 0, 10, 0xFFFF, 0), "bindings without their terminator"),
        ((2, 1, 0, 10), "a binding without its terminator"),
    ],
)
def test_arrays_that_do_not_end_are_refused(words: tuple[int, ...], why: str) -> None:
    """No part of it runs over into the next, or past the end."""
    with pytest.raises(NdrError, match=why):
        DualStringArray.decode(_words(*words))


def test_an_array_is_no_longer_than_it_can_say() -> None:
    """65,534 words are written and read; more are an error of ours."""
    longest = DualStringArray((StringBinding(7, "a" * (0xFFFE - 4)),))
    assert struct.unpack_from("<H", longest.encode()) == (0xFFFE,)
    assert DualStringArray.decode(longest.encode()) == longest
    with pytest.raises(ValueError, match="65536 words"):
        DualStringArray((StringBinding(7, "a" * (0xFFFE - 3)),)).encode()
    with pytest.raises(ValueError, match="null character"):
        DualStringArray((StringBinding(7, "a\0b"),)).encode()


def test_a_parameter_says_its_size_twice() -> None:
    """The array's size stands before the structure and has to agree with the count in it."""
    writer = Writer()
    EXPORTER.write(writer)
    assert DualStringArray.read(Reader(writer.value())) == EXPORTER
    refuses_every_cut(lambda data: DualStringArray.read(Reader(data)), writer.value())
    with pytest.raises(NdrError, match="an array of 5, declared as 4"):
        DualStringArray.read(Reader(struct.pack("<IHH8x", 5, 4, 2)))


def test_impacket_and_we_marshal_alike() -> None:
    """A reference that impacket marshals is ours, byte for byte, and ours are its own."""
    theirs = dcomrt.OBJREF_STANDARD()
    theirs["iid"] = IID
    theirs["std"]["flags"], theirs["std"]["cPublicRefs"] = STD.flags, STD.public_refs
    theirs["std"]["oxid"], theirs["std"]["oid"], theirs["std"]["ipid"] = OXID, OID, IPID
    theirs["saResAddr"] = RESOLVER.encode()
    assert theirs.getData() == REFERENCE.encode()
    assert ObjRef.decode(theirs.getData()) == REFERENCE
    read = dcomrt.OBJREF_STANDARD(REFERENCE.encode())
    assert (read["iid"], read["std"]["oxid"], read["std"]["ipid"]) == (IID, OXID, IPID)
    assert read["saResAddr"] == RESOLVER.encode()


def test_impacket_reads_our_bindings() -> None:
    """One after the other, as its client does, to the terminator of each part."""
    data = EXPORTER.encode()[4:]
    for name in ("127.0.0.1[5000]\0", "würzburg[5000]\0"):
        binding = dcomrt.STRINGBINDING(data)
        assert (binding["wTowerId"], binding["aNetworkAddr"]) == (7, name)
        data = data[len(binding) :]
    assert data[:2] == bytes(2)
    security = dcomrt.SECURITYBINDING(data[2:])
    assert (security["wAuthnSvc"], security["aPrincName"]) == (10, "NT AUTHORITY\\SYSTEM\0")


def test_impacket_reads_our_custom_reference() -> None:
    """The unmarshaler's class and its data are where it looks for them."""
    custom = CustomObjRef(IID, CLSID, b"data")
    theirs = dcomrt.OBJREF_CUSTOM(custom.encode())
    assert (theirs["iid"], theirs["clsid"], theirs["pObjectData"]) == (IID, CLSID, b"data")
    assert CustomObjRef.decode(theirs.getData()) == custom


def test_references_of_another_kind_are_refused() -> None:
    """A signature or flags that are not the wanted ones say what they are."""
    with pytest.raises(NdrError, match="flags 0x4"):
        ObjRef.decode(CustomObjRef(IID, CLSID, bytes(64)).encode())
    with pytest.raises(NdrError, match="flags 0x1"):
        CustomObjRef.decode(REFERENCE.encode())
    with pytest.raises(NdrError, match="signature 0x0"):
        ObjRef.decode(bytes(64))
    with pytest.raises(NdrError, match="signature 0x0"):
        CustomObjRef.decode(bytes(64))


def test_references_that_are_cut_off_are_refused() -> None:
    """Whatever byte they end before; a custom one's data have no length to miss."""
    refuses_every_cut(ObjRef.decode, REFERENCE.encode())
    refuses_every_cut(CustomObjRef.decode, CustomObjRef(IID, CLSID, b"").encode())


def test_interface_pointers_are_counted_twice() -> None:
    """Both counts agree, or the pointer is refused."""
    writer = Writer()
    write_interface(writer, b"abc")
    assert writer.value() == struct.pack("<II3s", 3, 3, b"abc")
    assert read_interface(Reader(writer.value())) == b"abc"
    refuses_every_cut(lambda data: read_interface(Reader(data)), writer.value())
    with pytest.raises(NdrError, match="an array of 3, declared as 2"):
        read_interface(Reader(struct.pack("<II3s", 3, 2, b"abc")))
    with pytest.raises(NdrError):
        read_interface(Reader(struct.pack("<II3s", 2**32 - 1, 2**32 - 1, b"abc")))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_arrays_of_references_have_their_nulls(count: int) -> None:
    """Every second one is null, and what follows is aligned."""
    references = [REFERENCE if n % 2 else None for n in range(count)]
    writer = Writer()
    write_references(writer, references)
    assert read_references(Reader(writer.value()), count) == tuple(references)
    with pytest.raises(NdrError):
        read_references(Reader(struct.pack("<I", count + 1) + bytes(100)), count)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(ARRAYS)
def test_any_array_comes_back(array: DualStringArray) -> None:
    """Whatever addresses and names are in it, in an object reference or as a parameter."""
    assert DualStringArray.decode(b"??" + array.encode() + b"??", 2) == array
    writer = Writer()
    array.write(writer)
    assert DualStringArray.read(Reader(writer.value())) == array
