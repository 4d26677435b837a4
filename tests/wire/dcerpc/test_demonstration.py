"""The demonstration interface: one method over the bare ORPC headers."""

import struct

from impacket.dcerpc.v5.dcomrt import DCOMANSWER, DCOMCALL, NULL
from impacket.dcerpc.v5.dtypes import ULONG

from tests.support.stubs import CID, THIS
from vaultstorm_wire.dcerpc.demonstration import (
    APPID_DEMONSTRATION,
    CLSID_DEMONSTRATION,
    IDEMONSTRATION,
    WORK,
    WorkIn,
    WorkOut,
)
from vaultstorm_wire.dcerpc.orpc import ComVersion, OrpcThat
from vaultstorm_wire.dcerpc.syntax import guid_text


class Work(DCOMCALL):  # type: ignore[misc]
    """The request as impacket would define it."""

    opnum = WORK
    structure = ()


class WorkResponse(DCOMANSWER):  # type: ignore[misc]
    """The answer as impacket would define it."""

    structure = (("pcExecuted", ULONG), ("ErrorCode", ULONG))


def test_the_class_is_the_application() -> None:
    """The demonstration's AppID is its CLSID, and its interface has the next guid."""
    assert APPID_DEMONSTRATION == CLSID_DEMONSTRATION
    assert guid_text(CLSID_DEMONSTRATION) == "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d1"
    assert str(IDEMONSTRATION) == "8e5f1c6a-4b0d-4c57-9d3e-5a7b2f60c9d2 v0.0"


def test_impacket_asks_and_we_understand() -> None:
    """A request that impacket encodes is read as it was meant."""
    request = Work()
    request["ORPCthis"]["flags"] = 0
    request["ORPCthis"]["cid"] = CID
    request["ORPCthis"]["extensions"] = NULL
    assert WorkIn.decode(request.getData()) == WorkIn(THIS)


def test_we_answer_and_impacket_understands() -> None:
    """An answer that we encode is read by impacket as it was meant."""
    answer = WorkResponse(WorkOut(OrpcThat(2), 77, 0x80004005).encode())
    assert answer["ORPCthat"]["flags"] == 2
    assert answer["pcExecuted"] == 77
    assert answer["ErrorCode"] == 0x80004005


def test_big_endian_calls_are_understood() -> None:
    """The causality id comes out in our byte order, whatever the caller's was."""
    data1, data2, data3, rest = struct.unpack("<IHH8s", CID)
    stub = struct.pack(">HHIIIHH8sI", 5, 7, 0, 0, data1, data2, data3, rest, 0)
    assert WorkIn.decode(stub, little=False) == WorkIn(THIS)
    answer = struct.pack(">IIII", 1, 0, 0x01020304, 0)
    assert WorkOut.decode(answer, little=False) == WorkOut(OrpcThat(1), 0x01020304, 0)


def test_a_stub_is_as_short_as_it_can_be() -> None:
    """A call has 32 bytes and its answer 16: the headers without extensions, and two longs."""
    assert len(WorkIn(THIS._replace(version=ComVersion(5, 1))).encode()) == 32
    assert len(WorkOut(OrpcThat(), 1, 0).encode()) == 16
