"""The endpoint mapper: impacket's map and lookup against our stubs, full pointers, and limits."""

import struct

import pytest
from impacket.dcerpc.v5 import epm as impacket_epm
from impacket.uuid import uuidtup_to_bin

from tests.support.impacket_client import TARGET, Overheard
from tests.support.stubs import HANDLE, IPID, TOWER
from vaultstorm_wire.dcerpc.demonstration import IDEMONSTRATION
from vaultstorm_wire.dcerpc.epm import (
    ANNOTATION_MAX,
    ENTRIES_MAX,
    EPT_LOOKUP,
    EPT_MAP,
    EPT_S_NOT_REGISTERED,
    INQUIRE_ALL,
    INQUIRE_BY_BOTH,
    NULL_HANDLE,
    VERS_ALL,
    VERS_EXACT,
    Entry,
    EptLookupHandleFreeIn,
    EptLookupIn,
    EptLookupOut,
    EptMapIn,
    EptMapOut,
)
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.objref import NULL_GUID
from vaultstorm_wire.dcerpc.syntax import Syntax, guid_of
from vaultstorm_wire.dcerpc.tower import Tower

UUID = ("8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d2", "1.2")
INTERFACE = Syntax(guid_of(UUID[0]), 1, 2)


def test_impacket_maps_an_interface() -> None:
    """Its hept_map is understood, and finds the port in our tower."""
    dce = Overheard(lambda _: EptMapOut(NULL_HANDLE, (TOWER,), 0, 4).encode())
    found = impacket_epm.hept_map(TARGET, uuidtup_to_bin(UUID), protocol="ncacn_ip_tcp", dce=dce)
    assert found == f"ncacn_ip_tcp:{TARGET}[5000]"
    assert dce.opnum == EPT_MAP
    asked = EptMapIn.decode(dce.stub)
    assert asked == EptMapIn(NULL_GUID, Tower.tcp(INTERFACE, 0, "0.0.0.0"), NULL_HANDLE, 4)


def test_impacket_lists_everything() -> None:
    """Its hept_lookup asks until the handle is null, and gets all entries with their words."""
    pages = {
        NULL_HANDLE: EptLookupOut(HANDLE, (Entry(IPID, TOWER, "one"),) * 3, 0, ENTRIES_MAX),
        HANDLE: EptLookupOut(NULL_HANDLE, (Entry(NULL_GUID, TOWER),), 0, ENTRIES_MAX),
    }
    asked = []

    def answer(stub: bytes) -> bytes:
        asked.append(EptLookupIn.decode(stub))
        return pages[asked[-1].handle].encode()

    dce = Overheard(answer)
    entries = impacket_epm.hept_lookup(TARGET, dce=dce)
    assert [entry["annotation"] for entry in entries] == [b"one\0"] * 3 + [b"\0"]
    assert [str(entry["tower"]["Floors"][0]) for entry in entries] == [
        "8E5F1C6A-4B0D-4C57-9D3E-5A7B2F60C9D2 v0.0"
    ] * 4
    assert dce.opnum == EPT_LOOKUP
    assert [ask.handle for ask in asked] == [NULL_HANDLE, HANDLE]
    assert asked[0]._replace(handle=HANDLE) == asked[1]
    assert asked[0] == EptLookupIn(INQUIRE_ALL, None, None, VERS_ALL, NULL_HANDLE, ENTRIES_MAX)


def test_impacket_looks_for_an_interface() -> None:
    """The interface of an inquiry is read with its version, and the object with it."""
    request = impacket_epm.ept_lookup()
    request["inquiry_type"] = INQUIRE_BY_BOTH
    request["object"] = IPID
    request["Ifid"]["Uuid"] = INTERFACE.guid
    request["Ifid"]["VersMajor"], request["Ifid"]["VersMinor"] = 1, 2
    request["vers_option"] = VERS_EXACT
    request["max_ents"] = 1
    expected = EptLookupIn(INQUIRE_BY_BOTH, IPID, INTERFACE, VERS_EXACT, NULL_HANDLE, 1)
    assert EptLookupIn.decode(request.getData()) == expected


def test_nothing_found_is_an_empty_array() -> None:
    """The array is declared as long as it was asked for, and holds nothing."""
    out = EptMapOut(NULL_HANDLE, (), EPT_S_NOT_REGISTERED, 4)
    assert out.encode() == bytes(20) + struct.pack("<5I", 0, 4, 0, 0, EPT_S_NOT_REGISTERED)
    assert EptMapOut.decode(out.encode()) == out
    lookup = EptLookupOut(NULL_HANDLE, (), EPT_S_NOT_REGISTERED, ENTRIES_MAX)
    assert EptLookupOut.decode(lookup.encode()) == lookup


def test_full_pointers_are_counted_from_the_request_on() -> None:
    """A Server 2003 knows the request's pointers by 1 and 2, so the answer's begin with 3."""
    asked = EptMapIn(IPID, TOWER, NULL_HANDLE, 4).encode()
    assert struct.unpack_from("<I16sI", asked)[::2] == (1, 2)
    answer = EptMapOut(NULL_HANDLE, (TOWER, TOWER), 0, 4).encode()
    assert struct.unpack_from("<II", answer, 36) == (3, 4)


def test_two_full_pointers_may_point_to_one_tower() -> None:
    """A tower that is pointed to again is not there again."""
    one = EptMapOut(NULL_HANDLE, (TOWER,), 0, 2).encode()
    again = one[:20] + struct.pack("<6I", 2, 2, 0, 2, 3, 3) + one[40:]
    assert EptMapOut.decode(again) == EptMapOut(NULL_HANDLE, (TOWER, TOWER), 0, 2)


def test_big_endian_requests_are_understood() -> None:
    """The stub's numbers and guids turn, a tower's octets do not."""
    turned = IPID[3::-1] + IPID[5:3:-1] + IPID[7:5:-1] + IPID[8:]
    octets = TOWER.encode()
    handle = struct.pack(">I", 5) + turned
    stub = struct.pack(">I16sIII", 1, turned, 2, 75, 75) + octets + bytes(1) + handle
    stub += struct.pack(">I", 500)
    expected = EptMapIn(IPID, TOWER, struct.pack("<I", 5) + IPID, 500)
    assert EptMapIn.decode(stub, little=False) == expected
    assert EptLookupHandleFreeIn.decode(handle, little=False).handle == expected.handle


@pytest.mark.parametrize("asked", [0, 1, 500])
def test_as_many_as_may_be_asked_for(asked: int) -> None:
    """0 to 500 entries are in the range of MS-RPCE 2.2.1.2.4."""
    lookup = EptLookupIn(INQUIRE_ALL, None, None, VERS_ALL, NULL_HANDLE, asked)
    assert EptLookupIn.decode(lookup.encode()) == lookup
    request = EptMapIn(None, None, NULL_HANDLE, asked)
    assert EptMapIn.decode(request.encode()) == request


def test_more_than_may_be_asked_for_is_refused() -> None:
    """501 entries are out of range."""
    with pytest.raises(NdrError, match="501 elements asked for"):
        EptLookupIn.decode(EptLookupIn(0, None, None, 1, NULL_HANDLE, 501).encode())
    with pytest.raises(NdrError, match="501 elements asked for"):
        EptMapIn.decode(EptMapIn(None, None, NULL_HANDLE, 501).encode())


@pytest.mark.parametrize("length", [0, 1, 2, 62, 63])
def test_an_annotation_fits_its_array(length: int) -> None:
    """Up to 63 characters are kept, and what follows them is found."""
    entries = (Entry(IPID, TOWER, "a" * length), Entry(IPID, TOWER, "b" * length))
    out = EptLookupOut(NULL_HANDLE, entries, 0, 2)
    assert EptLookupOut.decode(out.encode()) == out


def test_a_longer_annotation_is_cut_off() -> None:
    """The interface has room for 64 bytes, the terminator among them."""
    out = EptLookupOut(NULL_HANDLE, (Entry(IPID, TOWER, "a" * ANNOTATION_MAX),), 0, 1)
    (entry,) = EptLookupOut.decode(out.encode()).entries
    assert entry.annotation == "a" * (ANNOTATION_MAX - 1)


def test_an_array_is_no_longer_than_it_says() -> None:
    """More elements than the array was declared with are refused, as is a tower of 2,001 bytes."""
    with pytest.raises(NdrError, match="2 elements from 0 in 1"):
        EptMapOut.decode(EptMapOut(NULL_HANDLE, (TOWER, TOWER), 0, 1).encode())
    stub = struct.pack("<IIII", 0, 2, 2001, 2001) + bytes(2100)
    with pytest.raises(NdrError, match="2001 elements"):
        EptMapIn.decode(stub)


def test_our_interface_is_found_in_our_own_tower() -> None:
    """What a client of ours asks for is what a server of ours reads."""
    asked = EptMapIn(None, Tower.tcp(IDEMONSTRATION, 0, "0.0.0.0"), NULL_HANDLE, 1)
    tower = EptMapIn.decode(asked.encode()).tower
    assert tower is not None
    assert tower.interface == IDEMONSTRATION
