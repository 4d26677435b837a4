"""Unmodified impacket, without authentication: an independent client that nobody here has taught.

Its DCOM layer knows no port but 135, on which any address of the loopback net may be had.
"""

import gc
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.rpcss.dcom import CLASS_FACTORY, IUNKNOWN
from tests.server.rpcss.serving import APPID, DEMONSTRATION, UNKNOWN, Served, serving
from vaultstorm_wire.journal import Execution, Request

dcomrt: Any = pytest.importorskip("impacket.dcerpc.v5.dcomrt")
dtypes: Any = pytest.importorskip("impacket.dcerpc.v5.dtypes")
epm: Any = pytest.importorskip("impacket.dcerpc.v5.epm")
mgmt: Any = pytest.importorskip("impacket.dcerpc.v5.mgmt")
rpcrt: Any = pytest.importorskip("impacket.dcerpc.v5.rpcrt")
transport: Any = pytest.importorskip("impacket.dcerpc.v5.transport")
uuid: Any = pytest.importorskip("impacket.uuid")

# It connects where it is connected already, and leaves the first socket to the collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

PORT = 135
_last = itertools.count(1)


class Work(dcomrt.DCOMCALL):  # type: ignore[misc]
    """The demonstration's method, as impacket describes one."""

    opnum = 3
    structure = ()


class WorkResponse(dcomrt.DCOMANSWER):  # type: ignore[misc]
    """What it answers."""

    structure = (("executed", dtypes.ULONG), ("ErrorCode", dtypes.ULONG))


def address() -> str:
    """Find an address of the loopback net whose port 135 can be had, or skip the test."""
    for number in itertools.islice(_last, 50):
        host = f"127.135.{threading.get_native_id() % 250}.{number}"
        with socket.socket() as scout:
            try:
                scout.bind((host, PORT))
            except PermissionError:
                pytest.skip("port 135 is not permitted here, and impacket's DCOM knows no other")
            except OSError:
                continue
        return host
    pytest.skip("port 135 is taken on every address that was tried")


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Have the sockets that are left warn now, and not in somebody else's test."""
    yield
    gc.collect()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serve on port 135."""
    with serving(tmp_path, host=address(), port=PORT) as running:
        yield running


@pytest.fixture
def connect(served: Served) -> Iterator[Callable[[], Any]]:
    """Connect impacket to the resolver, and disconnect it afterwards."""
    opened = []

    def dial() -> Any:
        where = f"ncacn_ip_tcp:{host(served)}[{PORT}]"
        dce = transport.DCERPCTransportFactory(where).get_dce_rpc()
        dce.connect()
        opened.append(dce)
        return dce

    yield dial
    for each in opened:
        each.disconnect()


@pytest.fixture
def dcom(served: Served) -> Iterator[Any]:
    """Open impacket's DCOM connection, without authentication."""
    made = dcomrt.DCOMConnection(host(served), authLevel=1, oxidResolver=False)
    yield made
    made.disconnect()


def host(served: Served) -> str:
    """Give the address that is served on."""
    return served.rpcss.url.removeprefix("rpc://").partition(":")[0]


def clsid(text: str = APPID) -> Any:
    """Give a class in impacket's form."""
    return uuid.uuidtup_to_bin((text, "0.0"))[:16]


def iid(text: str = DEMONSTRATION) -> Any:
    """Give an interface in impacket's form."""
    return uuid.uuidtup_to_bin((text, "0.0"))


def test_server_alive2(served: Served, connect: Callable[[], Any]) -> None:
    """The bindings begin with the address that was dialled, without a port."""
    found = dcomrt.IObjectExporter(connect()).ServerAlive2()
    assert found[0]["aNetworkAddr"] == f"{host(served)}\0"
    assert {binding["wTowerId"] for binding in found} == {7}


def test_ept_map(served: Served, connect: Callable[[], Any]) -> None:
    """The resolver is found, what is unknown is not."""
    there = epm.hept_map(host(served), dcomrt.IID_IObjectExporter, protocol="ncacn_ip_tcp")
    assert there == f"ncacn_ip_tcp:{host(served)}[135]"
    with pytest.raises(rpcrt.DCERPCException, match="ept_s_not_registered"):
        epm.hept_map(
            host(served),
            uuid.uuidtup_to_bin((UNKNOWN, "1.0")),
            protocol="ncacn_ip_tcp",
            dce=connect(),
        )


def test_ept_lookup(served: Served, connect: Callable[[], Any]) -> None:
    """The whole map: three interfaces of the resolver."""
    entries = epm.hept_lookup(None, dce=connect())
    towers = [entry["tower"]["Floors"][0].__str__() for entry in entries]
    assert len(towers) == 3
    assert "99FCFEC4-5260-101B-BBCB-00AA0021347A v0.0" in towers


def test_mgmt_inq_if_ids(connect: Callable[[], Any]) -> None:
    """All five interfaces of the resolver's process."""
    dce = connect()
    dce.bind(mgmt.MSRPC_UUID_MGMT)
    assert mgmt.hinq_if_ids(dce)["if_id_vector"]["count"] == 5


def test_co_create_instance_ex_and_references(served: Served, dcom: Any) -> None:
    """An object is made; interfaces are queried, references added and released."""
    made = dcom.CoCreateInstanceEx(clsid(), iid())
    remote = dcomrt.IRemUnknown2(made)
    again = remote.RemQueryInterface(1, (iid(),))
    assert again.get_iPid() == made.get_iPid()
    other = remote.RemQueryInterface(1, (iid(IUNKNOWN),))
    assert other.get_iPid() != made.get_iPid()
    assert remote.RemAddRef()["ErrorCode"] == 0
    assert served.do(served.rpcss.statistics).objects == 1
    for _ in range(5 + 1 + 1):  # by the activation, the query and the RemAddRef
        assert remote.RemRelease()["ErrorCode"] == 0
    assert served.do(served.rpcss.statistics).objects == 1
    assert dcomrt.IRemUnknown2(other).RemRelease()["ErrorCode"] == 0
    assert served.do(served.rpcss.statistics).objects == 0


def test_the_demonstration_works(served: Served, dcom: Any) -> None:
    """Its method is called with impacket's own ORPCTHIS; the records bear the causality id."""
    made = dcom.CoCreateInstanceEx(clsid(), iid())
    request = Work()
    request["ORPCthis"] = made.get_cinstance().get_ORPCthis()
    request["ORPCthis"]["flags"] = 0
    answers = [made.request(request, iid(), made.get_iPid()) for _ in range(2)]
    assert [answer["executed"] for answer in answers] == [1, 2]
    assert [execution.method for execution in served.records(Execution)] == [
        "RemoteCreateInstance",
        "Work",
        "Work",
    ]
    assert len({record.id for record in served.records(Request)}) == 1


def test_remote_activation(served: Served, connect: Callable[[], Any]) -> None:
    """The older way; OXID resolution leads to the same exporter."""
    made = dcomrt.IActivation(connect()).RemoteActivation(clsid(), iid())
    exporter = served.do(served.rpcss.statistics).exporters[APPID]
    strings = [binding["aNetworkAddr"] for binding in made.get_cinstance().get_string_bindings()]
    assert strings[0] == f"{host(served)}[{exporter.port}]\0"


def test_remote_get_class_object(served: Served, connect: Callable[[], Any]) -> None:
    """The class object's reference is of IClassFactory."""
    dce = connect()
    made = dcomrt.IRemoteSCMActivator(dce).RemoteGetClassObject(clsid(), iid(CLASS_FACTORY))
    assert served.do(served.rpcss.statistics).objects == 1
    (exporter,) = served.do(lambda: list(served.rpcss._exporters))
    assert (made.get_oxid(), made.get_ipidRemUnknown()) == (
        exporter.oxid,
        exporter.ipid_rem_unknown,
    )


def test_resolve_oxid2(served: Served, connect: Callable[[], Any], dcom: Any) -> None:
    """An OXID gives the exporter's bindings."""
    made = dcom.CoCreateInstanceEx(clsid(), iid())
    exporter = served.do(served.rpcss.statistics).exporters[APPID]
    resolver = dcomrt.IObjectExporter(connect())
    strings = resolver.ResolveOxid2(made.get_oxid(), (7,))
    assert strings[0]["aNetworkAddr"] == f"{host(served)}[{exporter.port}]\0"


def test_pings(served: Served, connect: Callable[[], Any], dcom: Any) -> None:
    """A set is made, pinged and changed, by whatever sequence numbers impacket sends."""
    made = dcom.CoCreateInstanceEx(clsid(), iid())
    oid = made.get_oid()
    answer = dcomrt.IObjectExporter(connect()).ComplexPing(0, 0, [oid])
    setid = answer["pSetId"]
    assert dcomrt.IObjectExporter(connect()).SimplePing(setid)["ErrorCode"] == 0
    assert dcomrt.IObjectExporter(connect()).ComplexPing(setid, 0, [], [oid])["ErrorCode"] == 0
    assert served.do(served.rpcss.statistics).ping_sets == 1


def test_an_unknown_class_is_not_registered(dcom: Any) -> None:
    """The client raises what the HRESULT says."""
    with pytest.raises(dcomrt.DCERPCSessionError, match="REGDB_E_CLASSNOTREG"):
        dcom.CoCreateInstanceEx(clsid(UNKNOWN), iid())


def test_whoever_wants_ntlm_is_refused(served: Served) -> None:
    """The bind is rejected, with a reason that impacket can name."""
    where = f"ncacn_ip_tcp:{host(served)}[135]"
    factory = transport.DCERPCTransportFactory(where)
    factory.set_credentials("somebody", "secret")
    dce = factory.get_dce_rpc()
    dce.set_auth_level(2)
    dce.connect()
    with pytest.raises(rpcrt.DCERPCException, match="Authentication type not recognized"):
        dce.bind(dcomrt.IID_IObjectExporter)
    dce.disconnect()
