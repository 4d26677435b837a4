"""A real server that is told what to do while it runs: iisreset, the pool, its workers."""

import contextlib
import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.bpf import FIN, RST, SYN
from tests.support.captured import captured
from tests.support.command import vaultstorm
from tests.support.server import PATIENCE, STATUS, Server, running_server, until
from vaultstorm_wire.journal import Event, Request

OVERFLOWS = pytest.mark.parametrize("overflow", ["reset", "refuse", "drop"])


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """Run what blocks beside the test."""
    with ThreadPoolExecutor() as executor:
        yield executor


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Run a server with one worker."""
    with running_server(tmp_path) as running:
        yield running


def post(server: Server, path: str) -> tuple[int, Any]:
    """Ask the control plane: the status and the JSON of its answer."""
    netloc = urlsplit(server.admin).netloc
    with contextlib.closing(http.client.HTTPConnection(netloc, timeout=PATIENCE)) as admin:
        admin.request("POST", path)
        response = admin.getresponse()
        return response.status, json.loads(response.read())


@contextlib.contextmanager
def held(server: Server) -> Iterator[http.client.HTTPConnection]:
    """Have a request in flight at a worker that is stopped."""
    (worker,) = serving(server)
    os.kill(worker, signal.SIGSTOP)
    with contextlib.closing(server.connect()) as connection:
        connection.request("GET", STATUS, headers={"X-Request-Id": "held"})
        until(lambda: server.status()["pool"]["workers"][0]["in_flight"] == 1)
        yield connection


def serving(server: Server) -> list[int]:
    """Give the pids of the workers that serve."""
    workers = server.status()["pool"]["workers"]
    return [worker["pid"] for worker in workers if worker["state"] == "serving"]


def begin_reset(
    server: Server, aside: ThreadPoolExecutor, count: int = 1
) -> "Future[tuple[int, Any]]":
    """Begin a reset: it is under way when this returns."""
    answer = aside.submit(post, server, "/iisreset")
    until(lambda: server.events().count("iisreset_began") == count)
    return answer


def requests(server: Server) -> list[tuple[str | None, int | None]]:
    """Give id and status of the requests that the front has journalled."""
    return [(r.id, r.status) for r in server.records("front") if isinstance(r, Request)]


def written(server: Server, count: int) -> list[str]:
    """Wait for so many lines of HTTPERR: they are written a moment after the answer."""
    until(lambda: len(server.httperr()) >= count)
    return server.httperr()


@OVERFLOWS
def test_iisreset_keeps_its_port_and_its_promises(
    tmp_path: Path, aside: ThreadPoolExecutor, overflow: str
) -> None:
    """In flight: answered. Idle: FIN. New: refused, then served by a new worker. And again."""
    with running_server(tmp_path, f"--overflow={overflow}") as server:
        for count in (1, 2):
            (worker,) = serving(server)
            idle = server.connect()
            idle.request("GET", STATUS)
            assert idle.getresponse().read()
            with held(server) as connection:
                reset = begin_reset(server, aside, count)
                assert idle.sock.recv(1) == b""
                idle.close()
                with pytest.raises(ConnectionRefusedError):
                    server.ask()
                os.kill(worker, signal.SIGCONT)
                answer = connection.getresponse()
                assert (answer.status, answer.getheader("Connection")) == (200, "close")
            status, told = reset.result(PATIENCE)

            assert (status, told["iisreset"]) == (200, "done")
            assert server.status()["url"] == server.url
            assert server.ask(id="after").status == 200
            assert worker not in serving(server)
        events = [name for name in server.events() if name.startswith("iisreset")]
        assert events == ["iisreset_began", "iisreset_ended"] * 2
        until(lambda: len(requests(server)) == 6)
        assert {status for _, status in requests(server)} == {200}
        assert server.httperr() == []


def test_a_second_iisreset_is_told_of_the_first(server: Server, aside: ThreadPoolExecutor) -> None:
    """409, and so for everything that would be done to the pool; the first goes on."""
    with held(server) as connection:
        worker = server.workers[0]
        reset = begin_reset(server, aside)
        for path in ("/iisreset", "/recycle", "/set/apppool.MaxProcesses=2", "/worker/kill"):
            status, told = post(server, path)
            assert (status, "iisreset is under way" in told["error"]) == (409, True)
        os.kill(worker, signal.SIGCONT)
        assert connection.getresponse().status == 200
    assert reset.result(PATIENCE)[0] == 200
    assert server.ask().status == 200


@OVERFLOWS
def test_a_signal_during_an_iisreset_stops_in_good_order(
    tmp_path: Path, aside: ThreadPoolExecutor, overflow: str
) -> None:
    """The held request is answered, nothing is started again, and the exit status is 0."""
    with running_server(tmp_path, f"--overflow={overflow}") as server:
        with held(server) as connection:
            reset = begin_reset(server, aside)
            server.signal(signal.SIGTERM)
            until(lambda: "stopping" in server.events())
            os.kill(server.workers[0], signal.SIGCONT)
            assert connection.getresponse().status == 200
        assert server.wait() == 0
        with contextlib.suppress(OSError, http.client.HTTPException):  # it may be cut off
            assert reset.result(PATIENCE)[0] == 409
        events = server.events()
        assert events.count("worker_started") == 1
        assert events[-1] == "stopped"
        assert events.index("iisreset_ended") > events.index("stopping")
        with pytest.raises(ConnectionRefusedError):
            server.ask()


def test_an_iisreset_starts_a_pool_that_was_stopped(server: Server) -> None:
    """Afterwards everything is on, whatever was off before."""
    assert post(server, "/stop-pool") == (200, {"pool": "stopped"})
    assert server.ask().status == 503
    assert post(server, "/iisreset")[0] == 200
    assert server.ask().status == 200


def test_a_closed_gate_and_the_counts_survive_an_iisreset(server: Server) -> None:
    """The gate is an instrument of the test and not of the server's: it stays as it was."""
    assert server.ask().status == 200
    server.gate("closed")
    post(server, "/iisreset")
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), PATIENCE):
        until(lambda: server.queue()["queue"]["queued"] == 1)
        assert not server.queue()["gate_open"]
        assert server.queue()["queue"]["accepted"] == 1
        assert server.status()["connections"]["requests"] == 1
    server.gate("open")
    assert server.ask().status == 200


def test_the_pool_is_stopped_and_started(server: Server) -> None:
    """Disabled is 503 with that reason in HTTPERR, until it is started."""
    post(server, "/stop-pool")
    assert server.ask().status == 503
    assert written(server, 1)[0].endswith("503 1 Disabled DefaultAppPool")
    assert post(server, "/start-pool") == (200, {"pool": "started"})
    assert server.ask().status == 200


def test_a_recycle_replaces_the_worker(server: Server) -> None:
    """A new process serves, on the same kept connection if the client has one."""
    with contextlib.closing(server.connect()) as connection:
        connection.request("GET", STATUS)
        assert connection.getresponse().read()
        (old,) = serving(server)
        assert post(server, "/recycle") == (200, {"recycle": "begun"})
        until(lambda: serving(server) not in ([old], []))
        until(lambda: "worker_stopped" in server.events())
        connection.request("GET", STATUS)
        assert connection.getresponse().status == 200


def test_a_setting_is_changed_while_it_runs(server: Server) -> None:
    """Through the command line, and it holds: the second request recycles its worker."""
    given = "apppool.PeriodicRestartRequests=2"
    ended = vaultstorm("ctl", "set", given, "--admin", server.admin)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == ["setting", given.partition("=")[0], "value", "2"]
    until(lambda: serving(server) not in (server.workers, []))

    changed = [e.detail for e in server.records("front") if isinstance(e, Event) if e.detail]
    assert given in changed
    for _ in "12":
        assert server.ask().status == 200
    until(lambda: "requests" in [e.detail for e in events(server, "recycle")])


def events(server: Server, name: str) -> list[Event]:
    """Give the events of one name."""
    return [e for e in server.records("front") if isinstance(e, Event) and e.name == name]


def test_a_worker_is_hung_resumed_and_killed(server: Server) -> None:
    """Hung it answers nothing, resumed it does, killed it is replaced."""
    (worker,) = serving(server)
    assert post(server, "/worker/hang") == (200, {"worker": "hang", "pids": [worker]})
    with contextlib.closing(server.connect()) as connection:
        connection.request("GET", STATUS)
        until(lambda: server.status()["pool"]["workers"][0]["in_flight"] == 1)
        assert post(server, "/worker/resume") == (200, {"worker": "resume", "pids": [worker]})
        assert connection.getresponse().status == 200
    assert post(server, "/worker/kill") == (200, {"worker": "kill", "pids": [worker]})
    until(lambda: serving(server) not in ([worker], []))
    assert server.ask().status == 200


def test_connections_beyond_the_limit_get_503(tmp_path: Path) -> None:
    """MaxConnections 1: the second one is told so, and there is room when the first is closed."""
    with running_server(tmp_path, "httpsys.MaxConnections=1") as server:
        with contextlib.closing(server.connect()) as first:
            first.request("GET", STATUS)
            assert first.getresponse().read()
            assert server.ask().status == 503
        until(lambda: server.status()["connections"]["open"] == 0)
        assert server.ask().status == 200
        assert [line.split(" ", 6)[6] for line in written(server, 1)] == [
            f"HTTP/1.1 GET {STATUS} 503 - ConnLimit -"
        ]


@pytest.mark.parametrize("tls", [0, 1])
def test_an_abandoned_request_may_be_a_reset_on_the_wire(tmp_path: Path, tls: int) -> None:
    """AbandonedRequest reset: a RST from the server and no FIN before it, with TLS or without."""
    with running_server(tmp_path, f"httpsys.TLS={tls}", "httpsys.AbandonedRequest=reset") as server:
        with captured(server.port) as capture, held(server) as connection:
            assert post(server, "/worker/kill")[0] == 200
            with pytest.raises((OSError, http.client.HTTPException)):
                connection.getresponse()
        sent = [packet.flags for packet in capture.packets if packet.sport == server.port]
        assert [bool(flags & RST) for flags in sent if not flags & SYN] == [True]
        assert [flags for flags in sent if flags & FIN] == []
        until(lambda: ("held", None) in requests(server))
        (line,) = written(server, 1)
        assert line.endswith(f"GET {STATUS} - 1 Connection_Abandoned_By_AppPool DefaultAppPool")
