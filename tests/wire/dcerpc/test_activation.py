"""Activation properties: their headers and sizes, what is passed over, and what is missing."""

import struct
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from impacket.dcerpc.v5 import dcomrt

from tests.support.stubs import (
    CLSID,
    EXPORTER,
    IID,
    IIDS,
    IPID,
    OXID,
    REFERENCE,
    RESULTS,
    refuses_every_cut,
)
from vaultstorm_wire.dcerpc.activation import (
    CLSID_PROPERTIES_IN,
    CLSID_PROPERTIES_OUT,
    IID_PROPERTIES_IN,
    INSTANTIATION_INFO,
    MAX_REQUESTED_INTERFACES,
    SCM_REQUEST_INFO,
    PropertiesIn,
    PropertiesOut,
)
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.objref import CustomObjRef
from vaultstorm_wire.dcerpc.orpc import COMVERSION, ComVersion
from vaultstorm_wire.dcerpc.serialization import serialize
from vaultstorm_wire.dcerpc.syntax import guid_of

IN: Final = PropertiesIn(CLSID, (IID,), (7,), 0x10, COMVERSION)
OUT: Final = PropertiesOut(OXID, EXPORTER, IPID, 1, IIDS, RESULTS)
SPECIAL: Final = guid_of("000001b9-0000-0000-c000-000000000046")
REQUEST: Final = serialize(struct.pack("<IIIHxxIIH", 0, 1, 2, 1, 2, 1, 7))
INSTANTIATION: Final = serialize(
    CLSID + struct.pack("<6IIHHI", 0x10, 0, 0, 1, 0, 1, 88, 5, 7, 1) + IID
)


def _blob(*properties: tuple[bytes, bytes], order: str = "<") -> bytes:
    """Marshal properties by hand, in either byte order of their header."""
    clsids = b"".join(clsid for clsid, _ in properties)
    if order == ">":
        clsids = b"".join(c[3::-1] + c[5:3:-1] + c[7:5:-1] + c[8:] for c, _ in properties)
    sizes = [len(data) for _, data in properties]
    count = len(properties)
    size = 72 + 20 * count
    size += -size % 8
    total = size + sum(sizes)
    header = struct.pack(f"{order}5I16xIIII", total, size, 0, 2, count, 1, 2, 0, count)
    header += clsids + struct.pack(f"{order}{count + 1}I", count, *sizes)
    header += bytes(-len(header) % 8)
    common = struct.pack("<BBHI", 1, 0x10 if order == "<" else 0, 8, 0xCCCCCCCC)
    common += struct.pack(f"{order}II", len(header), 0)
    data = struct.pack("<II", total, 0) + common + header
    data += b"".join(data for _, data in properties)
    return CustomObjRef(IID_PROPERTIES_IN, CLSID_PROPERTIES_IN, data).encode()


def test_impacket_reads_what_we_ask_for() -> None:
    """The blob, the header and the properties of a request say what was asked."""
    reference = dcomrt.OBJREF_CUSTOM(IN.encode())
    assert reference["iid"] == dcomrt.IID_IActivationPropertiesIn[:16]
    assert reference["clsid"] == dcomrt.CLSID_ActivationPropertiesIn
    blob = dcomrt.ACTIVATION_BLOB(reference["pObjectData"])
    header = blob["CustomHeader"]
    assert blob["dwSize"] == header["totalSize"] == len(reference["pObjectData"]) - 8
    assert [clsid["Data"] for clsid in header["pclsid"]] == [
        dcomrt.CLSID_InstantiationInfo,
        dcomrt.CLSID_ActivationContextInfo,
        dcomrt.CLSID_ServerLocationInfo,
        dcomrt.CLSID_ScmRequestInfo,
    ]
    sizes = [size["Data"] for size in header["pSizes"]]
    assert sizes == [88, 40, 32, 48]
    assert header["headerSize"] + sum(sizes) == header["totalSize"]

    asked = dcomrt.InstantiationInfoData()
    at = asked.fromString(blob["Property"][:88])
    asked.fromStringReferents(blob["Property"][at:88])
    assert (asked["classId"], asked["cIID"], asked["thisSize"]) == (CLSID, 1, 88)
    assert asked["pIID"][0]["Data"] == IID
    request = dcomrt.ScmRequestInfoData()
    at = request.fromString(blob["Property"][160:])
    request.fromStringReferents(blob["Property"][160 + at :])
    assert request["remoteRequest"]["ClientImpLevel"] == 2
    assert list(request["remoteRequest"]["pRequestedProtseqs"]) == [7]


def test_a_request_is_read() -> None:
    """What we wrote, and what was written by hand in either byte order of the header."""
    assert PropertiesIn.decode(IN.encode()) == IN
    for order in "<>":
        blob = _blob((INSTANTIATION_INFO, INSTANTIATION), (SCM_REQUEST_INFO, REQUEST), order=order)
        assert PropertiesIn.decode(blob) == IN


def test_other_properties_are_passed_over() -> None:
    """A Windows client sends more of them, in another order."""
    special = serialize(bytes(96))
    blob = _blob(
        (SPECIAL, special),
        (SCM_REQUEST_INFO, REQUEST),
        (bytes(16), b""),
        (INSTANTIATION_INFO, INSTANTIATION),
    )
    assert PropertiesIn.decode(blob) == IN


@pytest.mark.parametrize(
    "missing", [(), ((INSTANTIATION_INFO, INSTANTIATION),), ((SCM_REQUEST_INFO, REQUEST),)]
)
def test_what_is_required_has_to_be_there(missing: tuple[tuple[bytes, bytes], ...]) -> None:
    """An activation without a class, or without protocol sequences, is none."""
    with pytest.raises(NdrError, match="no InstantiationInfoData, or no ScmRequestInfoData"):
        PropertiesIn.decode(_blob(*missing))
    with pytest.raises(NdrError, match="holds no activation properties"):
        PropertiesIn.decode(CustomObjRef(IID, CLSID, bytes(200)).encode())
    with pytest.raises(NdrError, match="holds no activation properties"):
        PropertiesOut.decode(IN.encode())


def test_ten_properties_and_not_eleven() -> None:
    """The header has a limit of its own (MS-DCOM 2.2.28.1)."""
    required = ((INSTANTIATION_INFO, INSTANTIATION), (SCM_REQUEST_INFO, REQUEST))
    other = (SPECIAL, bytes(8))
    assert PropertiesIn.decode(_blob(*required, *[other] * 8)) == IN
    with pytest.raises(NdrError, match="11 elements, of 10 at the most"):
        PropertiesIn.decode(_blob(*required, *[other] * 9))


def test_properties_do_not_reach_past_the_end() -> None:
    """Sizes that say more than there is are refused, the header's and the blob's."""
    whole = _blob((INSTANTIATION_INFO, INSTANTIATION), (SCM_REQUEST_INFO, REQUEST))
    dw_size, total_size, header_size, first_size, second_size = 48, 72, 76, 160, 164
    for at in (dw_size, total_size, header_size, first_size, second_size):
        changed = bytearray(whole)
        struct.pack_into("<I", changed, at, struct.unpack_from("<I", whole, at)[0] + 8)
        with pytest.raises(NdrError):
            PropertiesIn.decode(bytes(changed))


def test_no_interface_is_no_activation() -> None:
    """A null array of interfaces, and one of none, are refused."""
    for count, pointer in ((1, 0), (0, 1)):
        head = CLSID + struct.pack("<6IIHHI", 0, 0, 0, count, 0, pointer, 88, 5, 7, count)
        data = serialize(head + IID)
        with pytest.raises(NdrError, match="asks for no interface"):
            PropertiesIn.decode(_blob((INSTANTIATION_INFO, data), (SCM_REQUEST_INFO, REQUEST)))


def test_as_many_interfaces_as_may_be_asked_for() -> None:
    """1 and 32,768 are read, and 32,769 refused."""
    for count in (1, MAX_REQUESTED_INTERFACES):
        asked = IN._replace(iids=(IID,) * count)
        assert PropertiesIn.decode(asked.encode()) == asked
    with pytest.raises(NdrError, match="32769 elements"):
        PropertiesIn.decode(IN._replace(iids=(IID,) * (MAX_REQUESTED_INTERFACES + 1)).encode())


@pytest.mark.parametrize("protseqs", [(), (7,), (7, 8), (7,) * 500])
def test_any_number_of_protseqs_is_read(protseqs: tuple[int, ...]) -> None:
    """None at all is a null pointer."""
    asked = IN._replace(protseqs=protseqs)
    assert PropertiesIn.decode(asked.encode()) == asked


def test_an_answer_comes_back() -> None:
    """With references and without, with bindings and without, in any version."""
    for out in (OUT, OUT._replace(bindings=None), OUT._replace(version=ComVersion(5, 6))):
        assert PropertiesOut.decode(out.encode()) == out


def test_impacket_reads_every_result() -> None:
    """The arrays of PropsOutInfo are as long as each other, null references among them."""
    blob = dcomrt.ACTIVATION_BLOB(dcomrt.OBJREF_CUSTOM(OUT.encode())["pObjectData"])
    clsids = [clsid["Data"] for clsid in blob["CustomHeader"]["pclsid"]]
    assert clsids == [dcomrt.CLSID_PropsOutInfo, dcomrt.CLSID_ScmReplyInfo]
    size = blob["CustomHeader"]["pSizes"][0]["Data"]
    props = dcomrt.PropsOutInfo()
    at = props.fromString(blob["Property"][:size])
    props.fromStringReferents(blob["Property"][at:size])
    assert props["cIfs"] == 3
    assert [iid["Data"] for iid in props["piid"]] == list(IIDS)
    assert [h["Data"] & 0xFFFFFFFF for h in props["phresults"]] == [h for h, _ in RESULTS]
    assert b"".join(props["ppIntfData"][0]["abData"]) == REFERENCE.encode()
    reply = dcomrt.ScmReplyInfoData()
    at = reply.fromString(blob["Property"][size:])
    reply.fromStringReferents(blob["Property"][size + at :])
    assert reply["remoteReply"]["Oxid"] == OXID
    assert reply["remoteReply"]["ipidRemUnknown"] == IPID
    assert reply["remoteReply"]["authnHint"] == 1


def test_properties_that_are_cut_off_are_refused() -> None:
    """Whatever byte they end before."""
    refuses_every_cut(PropertiesIn.decode, IN.encode())
    refuses_every_cut(PropertiesOut.decode, OUT.encode())


def test_nothing_wrong_is_remembered() -> None:
    """A header that was refused once is refused again, and a good one is still read."""
    for _ in range(2):
        with pytest.raises(NdrError):
            PropertiesIn.decode(_blob())
        assert PropertiesIn.decode(IN.encode()) == IN
    assert CLSID_PROPERTIES_OUT != CLSID_PROPERTIES_IN


@settings(deadline=None, derandomize=True, max_examples=50)
@given(
    st.binary(min_size=16, max_size=16),
    st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=5).map(tuple),
    st.lists(st.integers(0, 0xFFFF), max_size=5).map(tuple),
    st.integers(0, 2**32 - 1),
)
def test_any_request_comes_back(
    clsid: bytes, iids: tuple[bytes, ...], protseqs: tuple[int, ...], context: int
) -> None:
    """Whatever is asked for."""
    asked = PropertiesIn(clsid, iids, protseqs, context, COMVERSION)
    assert PropertiesIn.decode(asked.encode()) == asked
