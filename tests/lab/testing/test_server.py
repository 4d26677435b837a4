"""A server in the hands of a test."""

import http.client
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.server import tls_dir, until
from vaultstorm.serving import members
from vaultstorm.testing import Server, Servers
from vaultstorm_wire.errors import MachineError, UsageError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server with RPC for all tests that do not end it."""
    servers = Servers(tmp_path_factory.mktemp("server"), tls_dir())
    yield servers(tls=False, rpc=True, hotfixes="KB960007")
    servers.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Servers]:
    """Start servers that end with the test."""
    servers = Servers(tmp_path, tls_dir())
    yield servers
    servers.end()


def get(server: Server, request_id: str) -> int:
    """Send a request, and give the status."""
    netloc, path = urlsplit(server.status_url)[1:3]
    with closing(http.client.HTTPConnection(netloc, timeout=30)) as connection:
        connection.request("GET", path, headers={"X-Request-Id": request_id})
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_it_says_where_it_is(server: Server) -> None:
    """The parts of the URL belong to it, and the front process is no worker."""
    assert server.url == f"http://{server.host}:{server.port}"
    assert server.ca is None
    assert server.pid not in server.workers
    assert (server.queued, server.in_flight, server.died) == (0, 0, None)


@pytest.mark.parametrize("of", [None, "resolver", "exporter"], ids=["http", "resolver", "exporter"])
def test_the_gate_is_closed_in_its_block_and_open_after_it(server: Server, of: str | None) -> None:
    """Also where the block ends by an exception, and with a gate that was set to be open."""
    before = len(server.events())
    gate = server.gate(of=of)
    assert [event.name for event in server.events()[before:]] == ["gate_closed"]
    with pytest.raises(KeyError), gate:
        raise KeyError
    server.gate("open", of)
    names = [event.name for event in server.events()[before:]]
    assert names == ["gate_closed", "gate_open", "gate_open"]
    assert {event.detail for event in server.events()[before:]} == {of}


def test_a_setting_and_a_hotfix_are_changed_while_it_runs(server: Server) -> None:
    """What it has now is in its status; what it does not know is an error in its words."""
    server.set("apppool.PeriodicRestartRequests=100")
    server.apply_hotfix("KB908739")
    assert set(server.status()["hotfixes"]) == {"KB908739", "KB960007"}
    assert server.events("setting_changed")[-1].detail == "apppool.PeriodicRestartRequests=100"
    with pytest.raises(MachineError, match=r"no apppool\.Requests"):
        server.set("apppool.Requests=1")
    with pytest.raises(MachineError, match="no action here"):
        server.worker("sing/song")


def test_a_reset_keeps_the_port(server: Server) -> None:
    """The workers are other ones, and serve."""
    before = server.workers
    server.iisreset()
    server.until(lambda: not set(server.workers) & set(before))
    assert get(server, "reset") == 200
    assert len(server.executions("reset")) == len(server.requests("reset")) == 1


def test_a_worker_that_hangs_goes_on(server: Server) -> None:
    """It is the one that serves, and both signals say whom they reached."""
    assert server.worker("hang") == server.workers == server.worker("resume")
    assert get(server, "resumed") == 200


def test_what_does_not_come_to_be_is_said(server: Server) -> None:
    """The wait ends, with a word where to look."""
    with pytest.raises(TimeoutError, match=r"server\.log"):
        server.until(lambda: server.executions("never"), timeout=0)
    assert server.until(lambda: 7) == 7


@pytest.mark.parametrize("how", ["stop", "kill", "by-hand"])
def test_records_outlive_the_server_and_orders_do_not(start: Servers, how: str) -> None:
    """What it has seen can be read; what it is told is an error; nothing of it runs."""
    server = start(tls=False)
    assert get(server, "a") == 200
    with server.gate():
        if how == "by-hand":
            os.kill(server.pid, signal.SIGKILL)
        else:
            getattr(server, how)()
            assert members(server.pid) == []
    assert [run.id for run in server.executions()] == ["a"]
    until(lambda: not members(server.pid))
    with pytest.raises(MachineError, match="has been ended"):
        server.recycle()
    assert server.stop() == (0 if how == "stop" else -signal.SIGKILL)


def test_a_wrong_word_for_the_gate_is_refused(server: Server) -> None:
    """By the server, which says what there is."""
    with pytest.raises((MachineError, UsageError), match="no action here"):
        server.gate("ajar")
