"""IRemUnknown: impacket's structures against our stubs, and empty and full arrays."""

import struct

import pytest
from impacket.dcerpc.v5 import dcomrt

from tests.support.stubs import IID, IPID, IUNKNOWN, OID, OXID, REFERENCE, STD, THAT, THIS
from vaultstorm_wire.dcerpc.hresult import E_INVALIDARG, E_NOINTERFACE
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.objref import NULL_GUID, StdObjRef
from vaultstorm_wire.dcerpc.rem_unknown import (
    RemAddRefIn,
    RemAddRefOut,
    RemInterfaceRef,
    RemQiResult,
    RemQueryInterface2Out,
    RemQueryInterfaceIn,
    RemQueryInterfaceOut,
    RemReleaseIn,
    RemReleaseOut,
)


def _prepared(request: dcomrt.DCOMCALL) -> dcomrt.DCOMCALL:
    request["ORPCthis"]["cid"] = THIS.cid
    request["ORPCthis"]["flags"] = 0
    request["ORPCthis"]["extensions"] = dcomrt.NULL
    return request


def test_impacket_asks_for_interfaces() -> None:
    """A RemQueryInterface that impacket encodes is read as it was meant."""
    request = _prepared(dcomrt.RemQueryInterface())
    request["ripid"] = IPID
    request["cRefs"] = 5
    request["cIids"] = 2
    for value in (IID, IUNKNOWN):
        iid = dcomrt.IID()
        iid["Data"] = value
        request["iids"].append(iid)
    expected = RemQueryInterfaceIn(THIS, IPID, 5, (IID, IUNKNOWN))
    assert RemQueryInterfaceIn.decode(request.getData()) == expected


def test_impacket_reads_the_first_interface() -> None:
    """It takes the array's size for padding, and finds the first result behind it."""
    out = RemQueryInterfaceOut(THAT, (RemQiResult(1, STD),), 0)
    answer = dcomrt.RemQueryInterfaceResponse(out.encode())
    result = answer["ppQIResults"]
    assert result["hResult"] == 1
    assert (result["std"]["oxid"], result["std"]["oid"]) == (OXID, OID)
    assert (result["std"]["ipid"], result["std"]["cPublicRefs"]) == (IPID, 5)
    assert answer["ErrorCode"] == 0


@pytest.mark.parametrize(
    "name, ours",
    [("RemAddRef", RemAddRefIn), ("RemRelease", RemReleaseIn)],
)
def test_impacket_counts_references(
    name: str, ours: type[RemAddRefIn] | type[RemReleaseIn]
) -> None:
    """References that impacket adds or gives back are read as they were meant."""
    request = _prepared(getattr(dcomrt, name)())
    request["cInterfaceRefs"] = 2
    for public in (1, 5):
        element = dcomrt.REMINTERFACEREF()
        element["ipid"] = IPID
        element["cPublicRefs"] = public
        element["cPrivateRefs"] = 0
        request["InterfaceRefs"].append(element)
    expected = ours(THIS, (RemInterfaceRef(IPID, 1), RemInterfaceRef(IPID, 5)))
    assert ours.decode(request.getData()) == expected


def test_impacket_reads_what_became_of_references() -> None:
    """A result for each interface, and the call's own."""
    answer = dcomrt.RemAddRefResponse(RemAddRefOut(THAT, (0, 7), 9).encode())
    assert [result["Data"] for result in answer["pResults"]] == [0, 7]
    assert answer["ErrorCode"] == 9
    assert dcomrt.RemReleaseResponse(RemReleaseOut(THAT, 9).encode())["ErrorCode"] == 9


def test_a_failed_query_has_no_results() -> None:
    """The pointer to the results is null where the call failed as a whole."""
    out = RemQueryInterfaceOut(THAT, None, E_INVALIDARG)
    assert out.encode() == struct.pack("<4I", 0, 0, 0, E_INVALIDARG)
    assert RemQueryInterfaceOut.decode(out.encode()) == out


def test_results_are_aligned_to_8() -> None:
    """A REMQIRESULT holds hypers: 48 bytes, the first at 16."""
    null = RemQiResult(E_NOINTERFACE, StdObjRef(0, 0, 0, 0, NULL_GUID))
    for count in (0, 1, 2, 500):
        out = RemQueryInterfaceOut(THAT, (null,) * count, 0)
        assert len(out.encode()) == 16 + 48 * count + 4
        assert RemQueryInterfaceOut.decode(out.encode()) == out


def test_no_references_and_as_many_as_can_be_counted() -> None:
    """0, 1 and 65,535 references are understood."""
    for count in (0, 1, 0xFFFF):
        asked = RemReleaseIn(THIS, (RemInterfaceRef(IPID, 1),) * count)
        assert RemReleaseIn.decode(asked.encode()) == asked


def test_counts_and_arrays_agree() -> None:
    """A count that is not its array's size is refused."""
    stub = bytearray(RemReleaseIn(THIS, (RemInterfaceRef(IPID, 1),)).encode())
    stub[32] = 2
    with pytest.raises(NdrError, match="an array of 1, declared as 2"):
        RemReleaseIn.decode(bytes(stub))


def test_every_second_interface_gets_a_reference() -> None:
    """RemQueryInterface2 answers whole references, null where there is no such interface."""
    results = ((0, REFERENCE), (E_NOINTERFACE, None)) * 3
    out = RemQueryInterface2Out(THAT, results, 1)
    assert RemQueryInterface2Out.decode(out.encode()) == out


def test_big_endian_references_are_understood() -> None:
    """Guids within an array are turned as well."""
    turned = IPID[3::-1] + IPID[5:3:-1] + IPID[7:5:-1] + IPID[8:]
    header = struct.pack(">HHII", 5, 7, 0, 0) + bytes(16) + bytes(4)
    stub = header + struct.pack(">HxxI16sII", 1, 1, turned, 5, 0)
    asked = RemAddRefIn.decode(stub, little=False)
    assert asked.refs == (RemInterfaceRef(IPID, 5),)
    stub = header + struct.pack(">16sIHxxI16s", turned, 5, 1, 1, turned)
    query = RemQueryInterfaceIn.decode(stub, little=False)
    assert (query.ipid, query.iids) == (IPID, (IPID,))
