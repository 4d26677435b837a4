"""RPCSS as a whole: bursts, gates, counts, and the computer's end and beginning."""

import contextlib
import socket
from pathlib import Path

import pytest

from tests.server.rpcss.dcom import activate, caller, create, executed, work
from tests.server.rpcss.serving import (
    APPID,
    DEMONSTRATION,
    OBJECT_EXPORTER,
    SCM,
    UNKNOWN,
    Client,
    rpc,
    serving,
)
from vaultstorm_server.settings import AppId, Rpc, Settings, Tcpip
from vaultstorm_wire.dcerpc.object_exporter import SERVER_ALIVE
from vaultstorm_wire.errors import MachineError
from vaultstorm_wire.journal import TurnedAway


def dial(port: int, count: int) -> list[Client]:
    """Connect so often; who is reset before connect() has returned is not among the clients."""
    clients = []
    for _ in range(count):
        with contextlib.suppress(ConnectionResetError):
            clients.append(Client(port))
    return clients


def test_it_says_where_it_is(tmp_path: Path) -> None:
    """The URL is one that a client can use."""
    with serving(tmp_path) as served:
        assert served.rpcss.url == f"rpc://127.0.0.1:{served.port}"
        assert repr(served.rpcss) == f"<Rpcss {served.rpcss.url}: 0 exporters, 0 objects>"


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """As for every listener, with the ways out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MachineError, match="is taken"), serving(tmp_path, port=port):
            pass


def test_a_burst_overruns_the_exporters_queue(tmp_path: Path) -> None:
    """Behind a closed gate exactly ten of twelve are queued; the others are reset."""
    with serving(tmp_path) as served:
        made = activate(served)
        served.do(lambda: served.rpcss.set_gate("exporter", False))
        clients = dial(made.port, 12)
        served.until(lambda: served.rpcss.sample_values()["exporter_turned_away"] == 2)
        values = served.do(served.rpcss.sample_values)
        assert (values["exporter_queued"], values["exporter_free"]) == (10, 0)
        assert (values["resolver_turned_away"], values["resolver_free"]) == (0, 200)
        served.do(lambda: served.rpcss.set_gate("exporter", True))
        ok, reset = 0, 12 - len(clients)
        for client in clients:
            with client:
                try:
                    client.bind(DEMONSTRATION)
                    ok += bool(executed(work(client, made.ipid)))
                except (ConnectionError, EOFError):
                    reset += 1
        assert (ok, reset) == (10, 2)
        assert [record.port for record in served.records(TurnedAway)] == [made.port] * 2


def test_the_gate_holds_exporters_to_come(tmp_path: Path) -> None:
    """It was closed before there was one."""
    with serving(tmp_path) as served:
        served.do(lambda: served.rpcss.set_gate("exporter", False))
        made = activate(served)
        with Client(made.port):
            served.until(lambda: served.rpcss.sample_values()["exporter_queued"] == 1)
            served.do(lambda: served.rpcss.set_gate("exporter", True))
            served.until(lambda: served.rpcss.sample_values()["exporter_queued"] == 0)


def test_the_resolver_has_a_gate_of_its_own(tmp_path: Path) -> None:
    """And there is no third."""
    with serving(tmp_path) as served:
        served.do(lambda: served.rpcss.set_gate("resolver", False))
        with Client(served.port) as client:
            served.until(lambda: served.rpcss.sample_values()["resolver_queued"] == 1)
            served.do(lambda: served.rpcss.set_gate("resolver", True))
            client.bind(OBJECT_EXPORTER)
            assert client.call(SERVER_ALIVE).stub == bytes(4)
        with pytest.raises(ValueError, match="no gate 'door'"):
            served.do(lambda: served.rpcss.set_gate("door", True))


def test_with_syn_attack_protect_off_the_surplus_is_refused(tmp_path: Path) -> None:
    """The exporter's overflow style is the one of the settings."""
    settings = Settings(tcpip=Tcpip(SynAttackProtect=0))
    with serving(tmp_path, settings) as served:
        activate(served)
        statistics = served.do(served.rpcss.statistics)
        assert statistics.exporters[APPID].listener.style == "refuse"
        assert statistics.resolver.style == "refuse"


def test_everything_is_counted(tmp_path: Path) -> None:
    """Objects, exporters, connections and calls, at present and ever."""
    with serving(tmp_path) as served:
        made = activate(served)
        with caller(made) as client, Client(served.port) as other:
            other.bind(OBJECT_EXPORTER)
            work(client, made.ipid)
            served.until(lambda: served.rpcss.statistics().connections == 2)
            statistics = served.do(served.rpcss.statistics)
        assert (statistics.objects, statistics.oxids, statistics.ping_sets) == (1, 1, 0)
        assert (statistics.calls_in_progress, statistics.calls_executed) == (0, 1)
        exporter = statistics.exporters[APPID]
        assert (exporter.port, exporter.max_calls, exporter.connections) == (made.port, 10, 1)
        assert (exporter.calls_executed, exporter.calls_refused) == (1, 0)
        assert served.do(served.rpcss.sample_values)["objects"] == 1


def test_a_computer_that_goes_down_forgets_everything(tmp_path: Path) -> None:
    """Clients are reset, and refused from then on; after the start the port is the same."""
    with serving(tmp_path) as served:
        made = activate(served)
        client, exporter = Client(served.port), caller(made)
        client.bind(OBJECT_EXPORTER)
        work(exporter, made.ipid)
        served.do(served.rpcss.stop)
        for each in (client, exporter):
            with each, pytest.raises(ConnectionResetError):
                each.rest()
        for port in (served.port, made.port):
            with pytest.raises(ConnectionRefusedError):
                Client(port)
        served.do(lambda: served.rpcss.start(Settings()))
        with Client(served.port) as again:
            again.bind(SCM)
            assert create(again).hresult == 0
        new = activate(served)
        with caller(new) as exporter:
            assert work(exporter, made.ipid).status == 0x80010108
            # The application began anew, the count of the server did not.
            assert executed(work(exporter, new.ipid)) == 1
        assert served.do(served.rpcss.statistics).calls_executed == 2


def test_a_hotfix_counts_from_the_next_start(tmp_path: Path) -> None:
    """What is applied to a computer that runs changes nothing until it is restarted."""
    before = Settings(AppID={APPID: AppId(RpcProtSeqMaxCalls=100)})
    after = Settings(rpc=Rpc(KB960007=1), AppID=before.AppID)
    with serving(tmp_path, before) as served:
        activate(served)
        assert served.do(served.rpcss.statistics).exporters[APPID].max_calls == 10
        served.do(lambda: served.rpcss.start(after))
        assert served.do(served.rpcss.statistics).exporters[APPID].max_calls == 10
        served.do(served.rpcss.stop)
        served.do(lambda: served.rpcss.start(after))
        activate(served)
        assert served.do(served.rpcss.statistics).exporters[APPID].max_calls == 100


def test_what_was_turned_away_is_counted_over_restarts(tmp_path: Path) -> None:
    """The exporters' queues are new, their sum goes on; a closed gate stays closed."""
    with serving(tmp_path) as served:
        made = activate(served)
        served.do(lambda: served.rpcss.set_gate("exporter", False))
        clients = dial(made.port, 11)
        served.until(lambda: served.rpcss.sample_values()["exporter_turned_away"] == 1)
        served.do(served.rpcss.stop)
        served.do(served.rpcss.stop)
        assert served.do(served.rpcss.sample_values)["exporter_turned_away"] == 1
        served.do(lambda: served.rpcss.start(Settings()))
        for client in clients:
            client.close()
        with Client(activate(served).port):
            served.until(lambda: served.rpcss.sample_values()["exporter_queued"] == 1)


def test_unpinged_objects_are_swept(tmp_path: Path) -> None:
    """Nobody has to call for it."""
    with serving(tmp_path, rpc(PingPeriod=0.02)) as served:
        activate(served)
        served.until(lambda: served.rpcss.sample_values()["objects"] == 0)


def test_ipv6_is_served(tmp_path: Path) -> None:
    """The address is written with brackets in the URL."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("no address ::1 here")
    with serving(tmp_path, host="::1") as served:
        assert served.rpcss.url == f"rpc://[::1]:{served.port}"
        with Client(served.port, "::1") as client:
            client.bind(SCM)
            assert create(client, clsid=UNKNOWN).hresult == 0x80040154
            assert create(client).hresult == 0
