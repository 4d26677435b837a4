"""Activation by each of its three methods, and how it is refused."""

import socket
from pathlib import Path
from uuid import uuid4

import pytest

from tests.server.rpcss.dcom import (
    CLASS_FACTORY,
    CLSID,
    IID,
    IUNKNOWN,
    activate,
    caller,
    create,
    executed,
    this,
    work,
)
from tests.server.rpcss.serving import APPID, DEMONSTRATION, SCM, UNKNOWN, Client, rpc, serving
from vaultstorm_server.settings import AppId, Rpc, Settings
from vaultstorm_wire.dcerpc import remote_activation, scm_activator
from vaultstorm_wire.dcerpc.orpc import ComVersion
from vaultstorm_wire.dcerpc.syntax import guid_of
from vaultstorm_wire.journal import Execution, Request

ACTIVATION = "4d9f4ab8-7d1c-11cf-861e-0020af6e7c57"


def remote_activation_of(
    client: Client, clsid: bytes = CLSID, mode: int = 0, name: str | None = None
) -> remote_activation.RemoteActivationOut:
    """Call RemoteActivation for one interface."""
    iid = guid_of(CLASS_FACTORY) if mode else IID
    asked = remote_activation.RemoteActivationIn(this(), clsid, (iid,), object_name=name, mode=mode)
    answer = client.call(remote_activation.REMOTE_ACTIVATION, asked.encode())
    return remote_activation.RemoteActivationOut.decode(answer.stub)


def test_the_execution_is_on_disk_before_the_answer_comes(tmp_path: Path) -> None:
    """Both records carry the causality id, which is how the lab finds them."""
    with serving(tmp_path) as served:
        cid = uuid4()
        activate(served, cid=cid)
        (execution,) = served.records(Execution)
        (request,) = served.records(Request)
        assert (execution.id, execution.method) == (str(cid), "RemoteCreateInstance")
        assert (execution.target, execution.status) == (APPID, 0)
        assert (request.id, request.method) == (str(cid), "RemoteCreateInstance")
        assert (request.target, request.status, request.cause) == (
            "IRemoteSCMActivator",
            0,
            None,
        )
        assert request.worker == execution.worker
        assert request.time <= (request.dispatched or 0) <= (request.answered or 0)


def test_every_activation_makes_an_object_of_its_own(tmp_path: Path) -> None:
    """In one exporter, which is started by the first."""
    with serving(tmp_path) as served:
        first, second = activate(served), activate(served)
        assert first.port == second.port
        assert first.oxid == second.oxid
        assert first.oid != second.oid
        assert first.ipid != second.ipid
        assert served.do(served.rpcss.statistics).objects == 2


def test_remote_activation_does_the_same(tmp_path: Path) -> None:
    """The object can be called at the port that is told."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(ACTIVATION)
        out = remote_activation_of(client)
        assert (out.hresult, out.status, out.version) == (0, 0, ComVersion(5, 7))
        reference = out.results[0][1]
        assert reference is not None
        made = activate(served)
        with caller(made) as exporter:
            assert executed(work(exporter, reference.std.ipid)) == 1
        assert [e.method for e in served.records(Execution)][:1] == ["RemoteActivation"]


def test_remote_activation_is_refused_with_as_many_results_as_were_asked(tmp_path: Path) -> None:
    """An unknown class, and an object that would have to be loaded from a file."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(ACTIVATION)
        out = remote_activation_of(client, guid_of(UNKNOWN))
        assert (out.hresult, out.results) == (0x80040154, ((0x80040154, None),))
        assert remote_activation_of(client, name="c:\\a.doc").hresult == 0x80004001  # E_NOTIMPL


@pytest.mark.parametrize(
    ("clsid", "iids", "hresult"),
    [
        (UNKNOWN, (DEMONSTRATION,), 0x80040154),  # REGDB_E_CLASSNOTREG
        (APPID, (UNKNOWN,), 0x80004002),  # E_NOINTERFACE
        (APPID, (CLASS_FACTORY,), 0x80004002),
    ],
)
def test_what_cannot_be_made_is_not(
    tmp_path: Path, clsid: str, iids: tuple[str, ...], hresult: int
) -> None:
    """No object, no exporter, no execution: only the HRESULT, which the journal has too."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(SCM)
        out = create(client, iids, clsid)
        assert (out.hresult, out.results, out.bindings) == (hresult, (), None)
        statistics = served.do(served.rpcss.statistics)
        assert (statistics.objects, statistics.oxids) == (0, 0)
        assert served.records(Execution) == []
        assert [record.status for record in served.records(Request)] == [hresult]


def test_some_interfaces_are_better_than_none(tmp_path: Path) -> None:
    """CO_S_NOTALLINTERFACES: what there is comes with references, what there is not with none."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(SCM)
        out = create(client, (UNKNOWN, DEMONSTRATION, IUNKNOWN, DEMONSTRATION))
        assert out.hresult == 0x00080012
        assert [hresult for hresult, _ in out.results] == [0x80004002, 0, 0, 0]
        given = [reference.std for _, reference in out.results if reference is not None]
        assert len({std.oid for std in given}) == 1
        assert given[0].ipid == given[2].ipid != given[1].ipid
        assert given[0].public_refs == 5
        assert len(served.records(Execution)) == 1


@pytest.mark.parametrize(("minor", "hresult"), [(6, 0), (7, 0), (8, 0x80010110)])
def test_a_newer_client_is_told_so(tmp_path: Path, minor: int, hresult: int) -> None:
    """RPC_E_VERSION_MISMATCH above 5.7."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(SCM)
        assert create(client, version=ComVersion(5, minor)).hresult == hresult


@pytest.mark.parametrize("limit", [1, 2])
def test_there_are_as_many_objects_as_may_be(tmp_path: Path, limit: int) -> None:
    """The one beyond it gets E_OUTOFMEMORY, and is not executed."""
    with serving(tmp_path, rpc(MaxObjects=limit)) as served, Client(served.port) as client:
        client.bind(SCM)
        assert [create(client).hresult for _ in range(limit + 1)] == [0] * limit + [0x8007000E]
        assert len(served.records(Execution)) == limit


def test_a_class_object_is_another_kind_of_object(tmp_path: Path) -> None:
    """It has IClassFactory, by either way of asking for it, and not the demonstration."""
    with serving(tmp_path) as served, Client(served.port) as client:
        client.bind(SCM, ACTIVATION)
        asked = scm_activator.RemoteGetClassObjectIn(this(), CLSID, (guid_of(CLASS_FACTORY),))
        answer = client.call(scm_activator.REMOTE_GET_CLASS_OBJECT, asked.encode())
        out = scm_activator.RemoteGetClassObjectOut.decode(answer.stub)
        assert out.hresult == 0
        assert out.results[0][1] is not None
        refused = scm_activator.RemoteGetClassObjectIn(this(), CLSID, (IID,))
        answer = client.call(scm_activator.REMOTE_GET_CLASS_OBJECT, refused.encode())
        out = scm_activator.RemoteGetClassObjectOut.decode(answer.stub)
        assert out.hresult == 0x80004002
        with Client(served.port) as other:
            other.bind(ACTIVATION)
            assert remote_activation_of(other, mode=0xFFFFFFFF).hresult == 0
        methods = [execution.method for execution in served.records(Execution)]
        assert methods == ["RemoteGetClassObject", "RemoteActivation"]


def test_an_exporter_that_finds_no_port_is_not_started(tmp_path: Path) -> None:
    """CO_E_SERVER_EXEC_FAILURE while its only port is taken; it works as soon as it is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(tmp_path, rpc(Ports=str(port))) as served, Client(served.port) as client:
            client.bind(SCM)
            assert create(client).hresult == 0x80080005
            taken.close()
            assert create(client).hresult == 0
            assert activate(served).port == port


def test_applications_have_exporters_of_their_own(tmp_path: Path) -> None:
    """Each with its own port, its own MaxCalls and its own count of what has run."""
    settings = Settings(rpc=Rpc(KB960007=1), AppID={UNKNOWN: AppId(RpcProtSeqMaxCalls=50)})
    with serving(tmp_path, settings) as served:
        first, second = activate(served), activate(served, UNKNOWN)
        assert first.port != second.port
        with caller(first) as one, caller(second) as two:
            assert [executed(work(one, first.ipid)) for _ in range(2)] == [1, 2]
            assert executed(work(two, second.ipid)) == 1
            # An object of one application is not known in the other.
            assert work(two, first.ipid).status == 0x80010108
        exporters = served.do(served.rpcss.statistics).exporters
        assert {name: each.max_calls for name, each in exporters.items()} == {
            APPID: 10,
            UNKNOWN: 50,
        }
