"""IActivation: impacket's RemoteActivation against our stubs, and all the optional parameters."""

from collections.abc import Iterator

import pytest
from impacket.dcerpc.v5 import dcomrt
from impacket.dcerpc.v5.dcomrt import IActivation

from tests.support.impacket_client import Overheard, forget
from tests.support.stubs import (
    CLSID,
    EXPORTER,
    IID,
    IPID,
    IUNKNOWN,
    OXID,
    REFERENCE,
    THAT,
    THIS,
)
from vaultstorm_wire.dcerpc.hresult import E_NOINTERFACE, REGDB_E_CLASSNOTREG
from vaultstorm_wire.dcerpc.ndr import NdrError
from vaultstorm_wire.dcerpc.objref import NULL_GUID
from vaultstorm_wire.dcerpc.remote_activation import (
    REMOTE_ACTIVATION,
    RemoteActivationIn,
    RemoteActivationOut,
)


@pytest.fixture(autouse=True)
def _impacket_forgets() -> Iterator[None]:
    yield
    forget()


def test_impacket_activates() -> None:
    """Its own client sends what we understand, and finds all that our answer says."""
    out = RemoteActivationOut(THAT, 0, OXID, EXPORTER, IPID, 1, ((0, REFERENCE),))
    dce = Overheard(lambda _: out.encode())
    activated = IActivation(dce).RemoteActivation(CLSID, IUNKNOWN)

    assert dce.opnum == REMOTE_ACTIVATION
    asked = RemoteActivationIn.decode(dce.stub)
    assert (asked.clsid, asked.iids, asked.protseqs) == (CLSID, (IUNKNOWN,), (7,))
    assert (asked.object_name, asked.storage) == (None, None)
    assert activated.get_ipidRemUnknown() == IPID
    assert (activated.get_oxid(), activated.get_oid()) == (OXID, REFERENCE.std.oid)


def test_impacket_reads_a_result_for_each_interface() -> None:
    """Null references, HRESULTs and what stands behind them are where impacket looks."""
    results = ((0, REFERENCE), (E_NOINTERFACE, None), (0, REFERENCE))
    out = RemoteActivationOut(THAT, 1, OXID, EXPORTER, IPID, 6, results, status=5)
    answer = dcomrt.RemoteActivationResponse(out.encode())
    assert (answer["pOxid"], answer["pAuthnHint"], answer["phr"]) == (OXID, 6, 1)
    assert [h["Data"] & 0xFFFFFFFF for h in answer["pResults"]] == [0, E_NOINTERFACE, 0]
    third = b"".join(answer["ppInterfaceData"][2]["abData"])
    assert third == REFERENCE.encode()
    assert answer["ErrorCode"] == 5


def test_a_failure_still_has_all_results() -> None:
    """The client knows from its own request how many there must be."""
    out = RemoteActivationOut(
        THAT, REGDB_E_CLASSNOTREG, 0, None, NULL_GUID, 0, ((REGDB_E_CLASSNOTREG, None),) * 2
    )
    assert RemoteActivationOut.decode(out.encode()) == out


@pytest.mark.parametrize("name", [None, "", "a", "ab", "C:\\ä\U0001f600.doc"])
@pytest.mark.parametrize("storage", [None, b"", b"abc"])
def test_optional_parameters_may_be_there(name: str | None, storage: bytes | None) -> None:
    """An object's name and storage are read where they are given, and what follows them too."""
    asked = RemoteActivationIn(THIS, CLSID, (IID,), object_name=name, storage=storage)
    assert RemoteActivationIn.decode(asked.encode()) == asked


def test_impacket_names_the_object() -> None:
    """A name that impacket encodes is read without its terminator."""
    request = dcomrt.RemoteActivation()
    request["Clsid"] = CLSID
    request["pwszObjectName"] = "vault\0"
    request["pObjectStorage"] = dcomrt.NULL
    request["Interfaces"] = 1
    iid = dcomrt.IID()
    iid["Data"] = IID
    request["pIIDs"].append(iid)
    request["cRequestedProtseqs"] = 1
    request["aRequestedProtseqs"].append(7)
    request["ORPCthis"]["extensions"] = dcomrt.NULL
    assert RemoteActivationIn.decode(request.getData()).object_name == "vault"


def test_an_activation_asks_for_an_interface() -> None:
    """None at all is out of the interface's range, and refused."""
    asked = RemoteActivationIn(THIS, CLSID, ())
    with pytest.raises(NdrError, match="asks for no interface"):
        RemoteActivationIn.decode(asked.encode())
