"""IRemUnknown on the wire."""

from pathlib import Path

import pytest

from tests.server.rpcss.dcom import (
    IID,
    IUNKNOWN,
    Reference,
    activate,
    caller,
    executed,
    rem_unknown,
    this,
    work,
)
from tests.server.rpcss.serving import REM_UNKNOWN2, UNKNOWN, Client, serving
from vaultstorm_wire.dcerpc import rem_unknown as wire
from vaultstorm_wire.dcerpc.orpc import ComVersion
from vaultstorm_wire.dcerpc.rem_unknown import RemInterfaceRef
from vaultstorm_wire.dcerpc.syntax import guid_of


def query(
    client: Client, made: Reference, iids: tuple[bytes, ...], ipid: bytes | None = None
) -> wire.RemQueryInterfaceOut:
    """Call RemQueryInterface."""
    asked = wire.RemQueryInterfaceIn(this(), ipid or made.ipid, 2, iids)
    answer = client.call(wire.REM_QUERY_INTERFACE, asked.encode(), object=made.rem_unknown)
    return wire.RemQueryInterfaceOut.decode(answer.stub)


def release(client: Client, made: Reference, *references: RemInterfaceRef) -> int:
    """Call RemRelease; give the HRESULT."""
    asked = wire.RemReleaseIn(this(), references)
    answer = client.call(wire.REM_RELEASE, asked.encode(), object=made.rem_unknown)
    return wire.RemReleaseOut.decode(answer.stub).hresult


def add(client: Client, made: Reference, *references: RemInterfaceRef) -> wire.RemAddRefOut:
    """Call RemAddRef."""
    asked = wire.RemAddRefIn(this(), references)
    answer = client.call(wire.REM_ADD_REF, asked.encode(), object=made.rem_unknown)
    return wire.RemAddRefOut.decode(answer.stub)


def test_further_interfaces_are_given(tmp_path: Path) -> None:
    """Each with the references that were asked for, or E_NOINTERFACE."""
    with serving(tmp_path) as served:
        made = activate(served)
        with rem_unknown(made) as client:
            out = query(client, made, (guid_of(IUNKNOWN), IID))
            assert (out.hresult, out.results is not None) == (0, True)
            assert out.results is not None
            new, known = (result.std for result in out.results)
            assert (known.ipid, new.ipid == made.ipid) == (made.ipid, False)
            assert (new.oid, new.oxid, new.public_refs) == (made.oid, made.oxid, 2)
            assert query(client, made, (IID, guid_of(UNKNOWN))).hresult == 1  # S_FALSE
            assert query(client, made, (guid_of(UNKNOWN),)).hresult == 0x80004002


def test_the_second_interface_gives_object_references(tmp_path: Path) -> None:
    """RemQueryInterface2 is IRemUnknown2's, which has the other methods too."""
    with serving(tmp_path) as served:
        made = activate(served)
        with caller(made, REM_UNKNOWN2) as client:
            asked = wire.RemQueryInterface2In(this(), made.ipid, (IID, guid_of(UNKNOWN)))
            answer = client.call(wire.REM_QUERY_INTERFACE2, asked.encode(), object=made.rem_unknown)
            out = wire.RemQueryInterface2Out.decode(answer.stub)
            assert out.hresult == 1
            (good, reference), bad = out.results
            assert (good, bad) == (0, (0x80004002, None))
            assert reference is not None
            assert reference.std.ipid == made.ipid
            assert reference.resolver.strings[0].address == f"127.0.0.1[{served.port}]"
            assert query(client, made, (IID,)).hresult == 0
            unknown = wire.RemQueryInterface2In(this(), b"?" * 16, (IID,))
            answer = client.call(
                wire.REM_QUERY_INTERFACE2, unknown.encode(), object=made.rem_unknown
            )
            assert wire.RemQueryInterface2Out.decode(answer.stub).hresult == 0x80010114
        with rem_unknown(made) as client:
            fault = client.call(wire.REM_QUERY_INTERFACE2, bytes(64), object=made.rem_unknown)
            assert fault.status == 0x1C010002


def test_an_unknown_ipid_is_no_object(tmp_path: Path) -> None:
    """RPC_E_INVALID_OBJECT; and E_INVALIDARG for a query of nothing."""
    with serving(tmp_path) as served:
        made = activate(served)
        with rem_unknown(made) as client:
            assert query(client, made, (IID,), b"?" * 16).hresult == 0x80010114
            assert query(client, made, ()).hresult == 0x80070057


@pytest.mark.parametrize(("released", "there"), [(4, True), (5, False), (6, False)])
def test_an_object_goes_with_its_last_reference(tmp_path: Path, released: int, there: bool) -> None:
    """An activation gives five; who releases more releases all."""
    with serving(tmp_path) as served:
        made = activate(served)
        with rem_unknown(made) as client, caller(made) as exporter:
            assert release(client, made, RemInterfaceRef(made.ipid, released)) == 0
            answer = work(exporter, made.ipid)
            if there:
                assert executed(answer) == 1
            else:
                assert answer.status == 0x80010108
            assert served.do(served.rpcss.statistics).objects == int(there)
            # What is not there any more can be released again.
            assert release(client, made, RemInterfaceRef(made.ipid, 5)) == 0


def test_references_are_added(tmp_path: Path) -> None:
    """Public and private ones; an unknown IPID is CO_E_OBJNOTREG, and does not hinder the rest."""
    with serving(tmp_path) as served:
        made = activate(served)
        with rem_unknown(made) as client:
            out = add(client, made, RemInterfaceRef(b"?" * 16, 1), RemInterfaceRef(made.ipid, 1, 1))
            assert (out.results, out.hresult) == ((0x800401FB, 0), 0)
            release(client, made, RemInterfaceRef(made.ipid, 6))
            assert served.do(served.rpcss.statistics).objects == 1
            release(client, made, RemInterfaceRef(made.ipid, 0, 1))
            assert served.do(served.rpcss.statistics).objects == 0
            assert add(client, made, RemInterfaceRef(made.ipid, 1)).results == (0x800401FB,)


def test_only_its_own_ipid_is_answered(tmp_path: Path) -> None:
    """RPC_E_DISCONNECTED for an object's, and a newer client is told its version."""
    with serving(tmp_path) as served:
        made = activate(served)
        with rem_unknown(made) as client:
            stub = wire.RemReleaseIn(this(), ()).encode()
            assert client.call(wire.REM_RELEASE, stub, object=made.ipid).status == 0x80010108
            stub = wire.RemReleaseIn(this(version=ComVersion(6, 0)), ()).encode()
            fault = client.call(wire.REM_RELEASE, stub, object=made.rem_unknown)
            assert fault.status == 0x80010110
