"""ISystemActivator: impacket's activation against our stubs, and byte orders and nulls."""

import struct
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from impacket.dcerpc.v5.dcomrt import OBJREF_STANDARD, IRemoteSCMActivator

from tests.support.impacket_client import Overheard, forget
from tests.support.stubs import (
    CLSID,
    EXPORTER,
    IID,
    IIDS,
    IPID,
    IUNKNOWN,
    OXID,
    REFERENCE,
    RESULTS,
    THAT,
    THIS,
)
from vaultstorm_wire.dcerpc.hresult import E_NOINTERFACE, REGDB_E_CLASSNOTREG
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.orpc import COMVERSION
from vaultstorm_wire.dcerpc.scm_activator import (
    REMOTE_CREATE_INSTANCE,
    REMOTE_GET_CLASS_OBJECT,
    RemoteCreateInstanceIn,
    RemoteCreateInstanceOut,
    RemoteGetClassObjectIn,
    RemoteGetClassObjectOut,
)

OUT: Final = RemoteCreateInstanceOut(THAT, 0, OXID, EXPORTER, IPID, 1, (IID,), ((0, REFERENCE),))


@pytest.fixture(autouse=True)
def _impacket_forgets() -> Iterator[None]:
    yield
    forget()


CREATE: Final = (REMOTE_CREATE_INSTANCE, RemoteCreateInstanceIn, OUT)
GET: Final = (REMOTE_GET_CLASS_OBJECT, RemoteGetClassObjectIn, RemoteGetClassObjectOut(*OUT))


@pytest.mark.parametrize(
    "operation, opnum, into, out",
    [("RemoteCreateInstance", *CREATE), ("RemoteGetClassObject", *GET)],
)
def test_impacket_activates(
    operation: str,
    opnum: int,
    into: type[RemoteCreateInstanceIn] | type[RemoteGetClassObjectIn],
    out: RemoteCreateInstanceOut | RemoteGetClassObjectOut,
) -> None:
    """Its own client sends what we understand, and finds all that our answer says."""
    dce = Overheard(lambda _: out.encode())
    activated = getattr(IRemoteSCMActivator(dce), operation)(CLSID, IUNKNOWN)

    assert dce.opnum == opnum
    asked = into.decode(dce.stub)
    assert (asked.clsid, asked.iids, asked.protseqs) == (CLSID, (IUNKNOWN,), (7,))
    assert asked.version == COMVERSION
    assert activated.get_ipidRemUnknown() == IPID
    assert (activated.get_oxid(), activated.get_oid()) == (OXID, REFERENCE.std.oid)
    assert OBJREF_STANDARD(activated.get_objRef())["iid"] == IID
    bindings = activated.get_cinstance().get_string_bindings()
    assert [(b["wTowerId"], b["aNetworkAddr"]) for b in bindings] == [
        (7, "127.0.0.1[5000]\0"),
        (7, "würzburg[5000]\0"),
    ]


def test_a_failure_has_no_properties() -> None:
    """A class that is not registered answers a null pointer and its HRESULT: 16 bytes."""
    for failed in (RemoteCreateInstanceOut, RemoteGetClassObjectOut):
        out = failed.failed(REGDB_E_CLASSNOTREG)
        assert out.encode() == struct.pack("<IIII", 0, 0, 0, REGDB_E_CLASSNOTREG)
        assert failed.decode(out.encode()) == out


def test_an_interface_that_is_not_there_has_a_null_reference() -> None:
    """Each interface has its own result, in the order they were asked for."""
    out = OUT._replace(iids=IIDS, results=RESULTS)
    decoded = RemoteCreateInstanceOut.decode(out.encode())
    assert [hresult for hresult, _ in decoded.results] == [0, E_NOINTERFACE, 0]
    assert decoded.results[1][1] is None


def test_results_and_interfaces_are_as_many() -> None:
    """What could not be read by anybody is not written."""
    with pytest.raises(ValueError, match="1 results for 3 interfaces"):
        OUT._replace(iids=IIDS).encode()


def test_an_activation_of_one_interface_has_a_known_size() -> None:
    """Four properties of one interface make 464 bytes, each of them a multiple of 8."""
    assert len(RemoteCreateInstanceIn(THIS, CLSID, (IID,)).encode()) == 464


def test_an_outer_unknown_is_passed_over() -> None:
    """PUnkOuter must be null and is ignored where it is not (MS-DCOM 3.1.2.5.2.3.3)."""
    asked = RemoteCreateInstanceIn(THIS, CLSID, (IID,))
    stub = asked.encode()
    outer = struct.pack("<III5s3x", 0x20000, 5, 5, b"outer")
    assert RemoteCreateInstanceIn.decode(stub[:32] + outer + stub[36:]) == asked


@pytest.mark.parametrize("pick", [RemoteCreateInstanceIn, RemoteGetClassObjectIn])
def test_an_activation_without_properties_is_refused(
    pick: type[RemoteCreateInstanceIn] | type[RemoteGetClassObjectIn],
) -> None:
    """A null pActProperties says nothing of what to activate."""
    with pytest.raises(NdrError, match="pActProperties is null"):
        pick.decode(THIS.encode() + bytes(8))


def test_big_endian_requests_are_understood() -> None:
    """The stub's own numbers turn; the properties in it have their own byte order."""
    asked = RemoteCreateInstanceIn(THIS, CLSID, (IID,))
    little = asked.encode()
    size = len(little) - 48
    assert struct.unpack_from("<IIII", little, 32)[2:] == (size, size)
    turn: Callable[[bytes], bytes] = lambda b: b[::-1]  # noqa: E731
    cid = little[12:28]
    head = b"".join(map(turn, (little[0:2], little[2:4], little[4:8], little[8:12])))
    guid = turn(cid[0:4]) + turn(cid[4:6]) + turn(cid[6:8]) + cid[8:]
    big = head + guid + bytes(4) + struct.pack(">IIII", 0, 9, size, size) + little[48:]
    assert RemoteCreateInstanceIn.decode(big, little=False) == asked
