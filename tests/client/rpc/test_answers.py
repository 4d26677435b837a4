"""What answers say; through sockets in test_client.py and test_win32.py."""

import pytest

from vaultstorm_client.response import Malformed
from vaultstorm_client.rpc.answers import Answer, activated, faulted, worked
from vaultstorm_wire.dcerpc.demonstration import WorkOut
from vaultstorm_wire.dcerpc.events import Fault, Response, Shutdown
from vaultstorm_wire.dcerpc.objref import DualStringArray, ObjRef, StdObjRef, StringBinding
from vaultstorm_wire.dcerpc.orpc import OrpcThat
from vaultstorm_wire.dcerpc.scm_activator import RemoteCreateInstanceOut
from vaultstorm_wire.dcerpc.syntax import NIL

STRINGS = (StringBinding(7, "127.0.0.1[80]"),)
IID, IPID = b"i" * 16, b"p" * 16


def created(
    hresult: int = 0, result: int | None = 0, reference: bool = True, bindings: bool = True
) -> Response:
    """Give the answer to an activation; without a result it has no properties at all."""
    strings = DualStringArray(STRINGS) if bindings and result is not None else None
    std = ObjRef(IID, StdObjRef(0, 5, 1, 2, IPID), DualStringArray(STRINGS))
    results = () if result is None else ((result, std if reference else None),)
    iids = () if result is None else (IID,)
    out = RemoteCreateInstanceOut(OrpcThat(), hresult, 1, strings, NIL, 1, iids, results)
    return Response(1, 0, out.encode())


def test_an_object() -> None:
    """A good activation gives the interface pointer and the bindings."""
    assert activated(created()) == Answer(0, None, IPID, STRINGS)


@pytest.mark.parametrize(
    "hresult, status", [(0x80040154, 0x80040154), (0x8007000E, 0x8007000E), (5, 5), (1, 1)]
)
def test_without_properties(hresult: int, status: int) -> None:
    """Without an object what the answer returns is its status, an HRESULT or a Win32 code."""
    assert activated(created(hresult, None)) == Answer(status)


def test_success_without_an_object() -> None:
    """An activation that says success and gives nothing is malformed."""
    for nothing in (created(0, None), created(reference=False)):
        with pytest.raises(Malformed, match="without an object"):
            activated(nothing)


@pytest.mark.parametrize("hresult, status", [(0, 0), (1, 0), (0x80010108, 0x80010108)])
def test_work(hresult: int, status: int) -> None:
    """A method's HRESULT counts where its severity says failure."""
    assert worked(Response(1, 0, WorkOut(OrpcThat(), 3, hresult).encode())) == Answer(status)


@pytest.mark.parametrize("read", [activated, worked], ids=["activation", "call"])
def test_no_answer(read: object) -> None:
    """What is no answer to a call is malformed; a fault is an answer to any."""
    assert callable(read)
    for event in (None, Shutdown(), Response(1, 0, b"")):
        with pytest.raises(Malformed):
            read(event)
    assert read(Fault(1, 0, 0x1C010014, False)) == Answer(0x1C010014, "nca_server_too_busy")


def test_what_a_fault_vouches_for() -> None:
    """The DID_NOT_EXECUTE flag is told, whatever the status."""
    assert faulted(Fault(1, 0, 5, True)).detail == "fault, did not execute"
    assert faulted(Fault(1, 0, 0x1C010003, True)).detail == "nca_unk_if, did not execute"
