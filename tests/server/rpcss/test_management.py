"""The management interface on the wire."""

from pathlib import Path

import pytest

from tests.server.rpcss.dcom import activate
from tests.server.rpcss.serving import (
    DEMONSTRATION,
    OBJECT_EXPORTER,
    REM_UNKNOWN,
    REM_UNKNOWN2,
    SCM,
    Client,
    results,
    serving,
)
from vaultstorm_wire.dcerpc import mgmt as wire
from vaultstorm_wire.dcerpc.syntax import guid_text

MGMT = "afa8bd80-7d8a-11c9-bef4-08002b102989"


def management(port: int) -> Client:
    """Connect and bind."""
    client = Client(port)
    assert results(client.bind(MGMT, version=1)) == [(0, 0)]
    return client


def interfaces(client: Client) -> set[str]:
    """Call inq_if_ids."""
    out = wire.InqIfIdsOut.decode(client.call(wire.INQ_IF_IDS).stub)
    assert out.status == 0
    return {guid_text(interface.guid) for interface in out.interfaces}


def test_every_process_tells_its_interfaces(tmp_path: Path) -> None:
    """The resolver its own, and an exporter others; both have this one."""
    with serving(tmp_path) as served, management(served.port) as client:
        resolver = interfaces(client)
        assert {OBJECT_EXPORTER, SCM, MGMT} <= resolver
        assert DEMONSTRATION not in resolver
        with management(activate(served).port) as other:
            assert {REM_UNKNOWN, REM_UNKNOWN2, DEMONSTRATION, MGMT} <= interfaces(other)


@pytest.mark.parametrize(("asked", "given"), [(0, 0), (1, 1), (4, 4), (5, 4)])
def test_the_counters_are_given(tmp_path: Path, asked: int, given: int) -> None:
    """As many as were asked for, at most four: calls in, none out, packets in and out."""
    with serving(tmp_path) as served, management(served.port) as client:
        client.call(wire.IS_SERVER_LISTENING)
        answer = client.call(wire.INQ_STATS, wire.InqStatsIn(asked).encode())
        out = wire.InqStatsOut.decode(answer.stub)
        # In: bind and two requests. Out: bind_ack and one response, before this one.
        assert (out.statistics, out.status) == ((2, 0, 3, 2)[:given], 0)


def test_a_server_listens_and_nobody_may_stop_it(tmp_path: Path) -> None:
    """It says so, denies access, and listens on."""
    with serving(tmp_path) as served, management(served.port) as client:
        answer = client.call(wire.IS_SERVER_LISTENING)
        assert wire.IsServerListeningOut.decode(answer.stub) == (0, True)
        answer = client.call(wire.STOP_SERVER_LISTENING)
        assert wire.StopServerListeningOut.decode(answer.stub).status == 5
        with management(served.port):
            pass


def test_a_server_without_authentication_has_no_name(tmp_path: Path) -> None:
    """RPC_S_UNKNOWN_AUTHN_SERVICE, with a name of no letters."""
    with serving(tmp_path) as served, management(served.port) as client:
        answer = client.call(wire.INQ_PRINC_NAME, wire.InqPrincNameIn(10, 100).encode())
        out = wire.InqPrincNameOut.decode(answer.stub)
        assert (out.name, out.status) == ("", 1747)
