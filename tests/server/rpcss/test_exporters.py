"""Exporters start at their first activation, on the ports they may have."""

import contextlib
import socket
from pathlib import Path

import pytest

from tests.server.rpcss.dcom import activate, create
from tests.server.rpcss.serving import APPID, SCM, UNKNOWN, Client, serving
from vaultstorm_server.settings import Afd, AppId, Rpc, Settings, Tcpip
from vaultstorm_wire.journal import Event


def free_ports(count: int) -> list[int]:
    """Find ports that nobody has."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [sock.getsockname()[1] for sock in sockets]


def test_none_listens_before_its_first_activation(tmp_path: Path) -> None:
    """A server that was never activated has one port."""
    with serving(tmp_path) as served:
        assert served.do(served.rpcss.statistics).exporters == {}
        made = activate(served)
        assert list(served.do(served.rpcss.statistics).exporters) == [APPID]
        (event,) = served.records(Event)
        assert (event.name, event.detail, event.port) == ("exporter_started", APPID, made.port)


def test_ports_are_taken_in_their_order(tmp_path: Path) -> None:
    """The second application gets the second port; a third finds none."""
    first, second = free_ports(2)
    third = "22222222-2222-2222-2222-222222222222"
    settings = Settings(
        rpc=Rpc(Ports=f"{first},{second}-{second}"), AppID={UNKNOWN: AppId(), third: AppId()}
    )
    with serving(tmp_path, settings) as served, Client(served.port) as client:
        assert [activate(served).port, activate(served, UNKNOWN).port] == [first, second]
        client.bind(SCM)
        assert create(client, clsid=third).hresult == 0x80080005


@pytest.mark.parametrize(
    ("hotfix", "value", "dynamic", "free"),
    [
        (0, 100, False, 10),
        (1, 10, False, 10),
        (1, 20, False, 20),
        (1, 21, True, 21),
        (1, 100, True, 100),
    ],
)
def test_the_accept_queue_is_made_of_max_calls(
    tmp_path: Path, hotfix: int, value: int, dynamic: bool, free: int
) -> None:
    """The dynamic backlog needs a MaxCalls above its Minimum: with 10 it changes nothing."""
    settings = Settings(
        afd=Afd(
            Backlog=150,
            EnableDynamicBacklog=1,
            MinimumDynamicBacklog=20,
            MaximumDynamicBacklog=20000,
            DynamicBacklogGrowthDelta=10,
        ),
        tcpip=Tcpip(SynAttackProtect=1),
        rpc=Rpc(KB960007=hotfix),
        AppID={APPID: AppId(RpcProtSeqMaxCalls=value)},
    )
    with serving(tmp_path, settings) as served:
        activate(served)
        statistics = served.do(served.rpcss.statistics)
        queue = statistics.exporters[APPID].listener.queue
        assert (queue.dynamic, queue.free) == (dynamic, free)
        assert statistics.resolver.queue.dynamic  # 200 is above the Minimum
