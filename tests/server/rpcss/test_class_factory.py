"""A class object makes objects, at its exporter's port."""

from pathlib import Path

from tests.server.rpcss.dcom import CLASS_FACTORY, CLSID, IID, Reference, caller, this, work
from tests.server.rpcss.serving import APPID, SCM, UNKNOWN, Client, Served, rpc, serving
from vaultstorm_wire.dcerpc import class_factory as wire
from vaultstorm_wire.dcerpc.scm_activator import (
    REMOTE_GET_CLASS_OBJECT,
    RemoteGetClassObjectIn,
    RemoteGetClassObjectOut,
)
from vaultstorm_wire.dcerpc.syntax import guid_of
from vaultstorm_wire.journal import Execution


def class_object(served: Served) -> Reference:
    """Ask the resolver for the class object."""
    with Client(served.port) as client:
        client.bind(SCM)
        asked = RemoteGetClassObjectIn(this(), CLSID, (guid_of(CLASS_FACTORY),))
        answer = client.call(REMOTE_GET_CLASS_OBJECT, asked.encode())
    out = RemoteGetClassObjectOut.decode(answer.stub)
    assert out.hresult == 0
    reference = out.results[0][1]
    assert reference is not None
    port = served.do(served.rpcss.statistics).exporters[APPID].port
    std = reference.std
    return Reference(port, out.oxid, std.oid, std.ipid, out.ipid_rem_unknown)


def create_instance(client: Client, made: Reference, iid: bytes) -> wire.CreateInstanceOut:
    """Call CreateInstance."""
    asked = wire.CreateInstanceIn(this(), iid)
    answer = client.call(wire.CREATE_INSTANCE, asked.encode(), object=made.ipid)
    return wire.CreateInstanceOut.decode(answer.stub)


def test_objects_are_made_and_can_be_called(tmp_path: Path) -> None:
    """Each is an object of its own, and leaves an execution record."""
    with serving(tmp_path) as served:
        factory = class_object(served)
        with caller(factory, CLASS_FACTORY) as client, caller(factory) as exporter:
            made = [create_instance(client, factory, IID).reference for _ in range(2)]
            ipids = [reference.std.ipid for reference in made if reference is not None]
            assert len(set(ipids)) == 2
            assert all(work(exporter, ipid).stub[-4:] == bytes(4) for ipid in ipids)
        executed = [(each.method, each.target) for each in served.records(Execution)][1:3]
        assert executed == [("CreateInstance", APPID)] * 2


def test_what_cannot_be_made_is_not(tmp_path: Path) -> None:
    """An unknown interface, and one object too many: the class object is the first."""
    with serving(tmp_path, rpc(MaxObjects=2)) as served:
        factory = class_object(served)
        with caller(factory, CLASS_FACTORY) as client:
            hresults = [
                create_instance(client, factory, iid).hresult
                for iid in (guid_of(UNKNOWN), IID, IID)
            ]
            assert hresults == [0x80004002, 0, 0x8007000E]


def test_the_server_can_be_locked(tmp_path: Path) -> None:
    """It runs on in any case."""
    with serving(tmp_path) as served:
        factory = class_object(served)
        with caller(factory, CLASS_FACTORY) as client:
            stub = wire.LockServerIn(this(), lock=True).encode()
            answer = client.call(wire.LOCK_SERVER, stub, object=factory.ipid)
            assert wire.LockServerOut.decode(answer.stub).hresult == 0
            assert client.call(wire.LOCK_SERVER, stub, object=b"?" * 16).status == 0x80010108
