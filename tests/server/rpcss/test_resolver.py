"""IObjectExporter on the wire."""

from pathlib import Path

from tests.server.rpcss.dcom import Reference, activate, caller, work
from tests.server.rpcss.serving import OBJECT_EXPORTER, Client, Served, rpc, serving
from vaultstorm_wire.dcerpc import object_exporter as wire
from vaultstorm_wire.dcerpc.orpc import ComVersion
from vaultstorm_wire.journal import Request


def resolver(served: Served) -> Client:
    """Connect and bind."""
    client = Client(served.port)
    client.bind(OBJECT_EXPORTER)
    return client


def add(client: Client, reference: Reference, setid: int = 0) -> wire.ComplexPingOut:
    """Put an object into a ping set."""
    asked = wire.ComplexPingIn(setid, 1, (reference.oid,), ())
    return wire.ComplexPingOut.decode(client.call(wire.COMPLEX_PING, asked.encode()).stub)


def ping(client: Client, setid: int) -> int:
    """Ping a set; give the status."""
    answer = client.call(wire.SIMPLE_PING, wire.SimplePingIn(setid).encode())
    return wire.SimplePingOut.decode(answer.stub).status


def test_the_server_is_alive(tmp_path: Path) -> None:
    """ServerAlive says nothing else; ServerAlive2 says version 5.7 and where the resolver is."""
    with serving(tmp_path) as served, resolver(served) as client:
        assert client.call(wire.SERVER_ALIVE).stub == bytes(4)
        out = wire.ServerAlive2Out.decode(client.call(wire.SERVER_ALIVE2).stub)
        assert (out.version, out.status) == (ComVersion(5, 7), 0)
        assert out.bindings is not None
        assert out.bindings.strings[0].address == f"127.0.0.1[{served.port}]"


def test_an_oxid_is_resolved(tmp_path: Path) -> None:
    """Both methods give the exporter's port and its IRemUnknown, whatever protocol is asked for."""
    with serving(tmp_path) as served, resolver(served) as client:
        made = activate(served)
        asked = wire.ResolveOxid2In(made.oxid, (7, 31))
        two = wire.ResolveOxid2Out.decode(client.call(wire.RESOLVE_OXID2, asked.encode()).stub)
        one = wire.ResolveOxidOut.decode(
            client.call(wire.RESOLVE_OXID, wire.ResolveOxidIn(made.oxid, (7,)).encode()).stub
        )
        assert (two.version, two.status, one.status) == (ComVersion(5, 7), 0, 0)
        assert two.ipid_rem_unknown == one.ipid_rem_unknown == made.rem_unknown
        assert one.bindings == two.bindings
        assert two.bindings is not None
        assert two.bindings.strings[0].address == f"127.0.0.1[{made.port}]"
        assert two.authn_hint == one.authn_hint == 1


def test_an_unknown_oxid_is_not(tmp_path: Path) -> None:
    """OR_INVALID_OXID, and no bindings; the journal has the status."""
    with serving(tmp_path) as served, resolver(served) as client:
        asked = wire.ResolveOxid2In(12345, (7,)).encode()
        two = wire.ResolveOxid2Out.decode(client.call(wire.RESOLVE_OXID2, asked).stub)
        one = wire.ResolveOxidOut.decode(client.call(wire.RESOLVE_OXID, asked).stub)
        assert (two.bindings, two.status) == (one.bindings, one.status) == (None, 1910)
        assert [(record.method, record.status) for record in served.records(Request)] == [
            ("ResolveOxid2", 1910),
            ("ResolveOxid", 1910),
        ]


def test_a_ping_set_is_made_changed_and_pinged(tmp_path: Path) -> None:
    """The set's number is given once; unknown sets and objects are told."""
    with serving(tmp_path) as served, resolver(served) as client:
        made = activate(served)
        out = add(client, made)
        assert (out.status, out.backoff) == (0, 0)
        assert ping(client, out.setid) == 0
        assert ping(client, out.setid + 1) == 1912  # OR_INVALID_SET
        assert add(client, made, out.setid + 1).status == 1912
        assert add(client, made._replace(oid=1), out.setid).status == 1911  # OR_INVALID_OID
        assert served.do(served.rpcss.statistics).ping_sets == 1


def test_what_is_not_pinged_is_disconnected(tmp_path: Path) -> None:
    """The set is unknown and the object is gone; the exporter is still there."""
    settings = rpc(PingPeriod=0.05)
    with serving(tmp_path, settings) as served, resolver(served) as client:
        made = activate(served)
        setid = add(client, made).setid
        with caller(made) as exporter:
            served.until(lambda: served.rpcss.statistics().objects == 0)
            assert ping(client, setid) == 1912
            assert work(exporter, made.ipid).status == 0x80010108  # RPC_E_DISCONNECTED
            assert work(exporter, activate(served).ipid).stub[-4:] == bytes(4)
