"""The whole server as real processes: answers, control, signals, and deaths."""

import contextlib
import hashlib
import http.client
import json
import os
import select
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.server import PATIENCE, STATUS, Server, running_server, start, until
from vaultstorm_wire.journal import Event, Execution, Request

LOST = "Connection_Abandoned_By_AppPool"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Run a server with one worker."""
    with running_server(tmp_path) as running:
        yield running


@contextlib.contextmanager
def held_request(server: Server, id: str = "held") -> Iterator[http.client.HTTPConnection]:
    """Have a request in flight: its worker is stopped, and the request has reached it."""
    (worker,) = server.workers
    os.kill(worker, signal.SIGSTOP)
    with contextlib.closing(server.connect()) as connection:
        connection.request("GET", STATUS, headers={"X-Request-Id": id})
        until(lambda: server.status()["pool"]["workers"][0]["in_flight"] == 1)
        yield connection


def requests(server: Server) -> list[Request]:
    """Give the front's records of requests."""
    return [record for record in server.records("front") if isinstance(record, Request)]


def executions(server: Server) -> list[Execution]:
    """Give the workers' records."""
    return [record for record in server.records("worker") if isinstance(record, Execution)]


def wait_for_end(pid: int) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    assert poll.poll(PATIENCE * 1000), f"process {pid} is still there"
    os.close(pidfd)


def test_a_block_goes_in_and_comes_out_over_verified_tls(server: Server) -> None:
    """PUT and GET of a block, each with one record of each side under its request id."""
    body = os.urandom(100_000)
    opened = server.ask("POST", "/AeXRSVault/interfaces", id="open")
    interface = json.loads(opened.body)["interface"]
    path = f"/AeXRSVault/interfaces/{interface}/blocks/{hashlib.sha256(body).hexdigest()}"

    assert server.ask("PUT", path, body, id="put").status == 201
    assert server.ask("GET", path, id="get").body == body
    head = server.ask("HEAD", path, id="head")
    assert (head.body, head.headers["Content-Length"]) == (b"", "100000")
    assert json.loads(server.ask().body)["bytes"] == 100_000

    (worker,) = server.workers
    ran = [(e.id, e.worker, e.method, e.status) for e in executions(server)]
    assert ran == [
        ("open", worker, "POST", 201),
        ("put", worker, "PUT", 201),
        ("get", worker, "GET", 200),
        ("head", worker, "HEAD", 200),
        (None, worker, "GET", 200),
    ]
    until(lambda: len(requests(server)) == 5)
    assert [(r.id, r.worker, r.status) for r in requests(server)] == [
        (id, pid, status) for id, pid, _, status in ran
    ]


def test_without_the_authority_the_certificate_is_not_trusted(server: Server) -> None:
    """A client that trusts only the world's authorities says no."""
    parts = urlsplit(server.url)
    assert parts.hostname is not None
    context = ssl.create_default_context()
    with (
        socket.create_connection((parts.hostname, parts.port or 0), PATIENCE) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname=parts.hostname)


def test_keep_alive_requests_of_many_connections_are_executed_once_each(
    tmp_path: Path,
) -> None:
    """40 requests on 8 connections over 2 workers: 40 answers and 40 execution records."""
    with running_server(tmp_path, "apppool.MaxProcesses=2", "afd.Backlog=20") as server:
        until(lambda: all(w["state"] == "serving" for w in server.status()["pool"]["workers"]))
        with contextlib.ExitStack() as stack:
            connections = [
                stack.enter_context(contextlib.closing(server.connect())) for _ in "12345678"
            ]
            for turn in range(5):
                for number, connection in enumerate(connections):
                    connection.request("GET", STATUS, headers={"X-Request-Id": f"{number}.{turn}"})
                for connection in connections:
                    assert connection.getresponse().read()
        ids = [execution.id for execution in executions(server)]
        assert sorted(map(str, ids)) == sorted(f"{n}.{turn}" for n in range(8) for turn in range(5))
        assert {execution.worker for execution in executions(server)} == set(server.workers)


def test_the_control_plane_tells_the_state_of_all_parts(server: Server) -> None:
    """One request later the queue has accepted one, http.sys answered it, a worker served it."""
    server.ask()
    until(lambda: server.status()["pool"]["workers"][0]["served"] == 1)
    status = server.status()
    assert (status["pid"], status["url"]) == (server.pid, server.url)
    assert status["accept_queue"]["queue"]["accepted"] == 1
    assert status["connections"]["requests"] == 1
    (worker,) = status["pool"]["workers"]
    assert (worker["pid"], worker["state"]) == (server.workers[0], "serving")


def test_a_closed_gate_holds_connections_in_the_accept_queue(server: Server) -> None:
    """They wait there, nobody answers, and all are served once it opens; both are journalled."""
    server.control("POST", "/gate/closed")
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), PATIENCE) as waiting:
        until(lambda: server.status()["accept_queue"]["queue"]["queued"] == 1)
        assert server.status()["connections"]["taken"] == 0
        server.control("POST", "/gate/open")
        context = ssl.create_default_context(cafile=server.ca)
        with context.wrap_socket(waiting, server_hostname=parts.hostname) as tls:
            assert tls.version() in ("TLSv1.2", "TLSv1.3")
    assert server.ask().status == 200
    assert [name for name in server.events() if name.startswith("gate")] == [
        "gate_closed",
        "gate_open",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_request_in_flight_finish(server: Server, number: signal.Signals) -> None:
    """New connections are refused, the held request is answered, and the exit status is 0."""
    with held_request(server) as connection:
        server.signal(number)
        until(lambda: "stopping" in server.events())
        with pytest.raises(ConnectionRefusedError):
            server.ask()
        os.kill(server.workers[0], signal.SIGCONT)
        assert connection.getresponse().status == 200
    assert server.wait() == 0
    wait_for_end(server.workers[0])
    assert server.events() == [
        *("pool_started", "worker_started", "worker_serving", "ready"),
        *("stopping", "pool_stopped", "worker_stopping", "worker_stopped", "stopped"),
    ]
    assert [execution.id for execution in executions(server)] == ["held"]
    assert [request.status for request in requests(server)] == [200]


def test_a_signal_during_the_start_ends_it_in_good_order(tmp_path: Path) -> None:
    """Ready or not, the exit status is 0 and the worker that was started is stopped."""
    process = start(tmp_path)
    front = tmp_path / f"front-{process.pid}.ndjson"
    try:
        until(lambda: front.exists() and b"worker_started" in front.read_bytes())
        process.terminate()
        process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert b'"worker_stopped"' in front.read_bytes()


def test_an_idle_connection_does_not_hold_the_end_up(server: Server) -> None:
    """A keep-alive connection without a request is closed, and its client reads the end."""
    with contextlib.closing(server.connect()) as connection:
        connection.request("GET", STATUS)
        assert connection.getresponse().read()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert connection.sock.recv(1) == b""


def test_a_request_that_never_ends_does_not_hold_the_end_up_either(server: Server) -> None:
    """A worker that does not answer is killed when the time is up; its request is lost by name."""
    with held_request(server) as connection:
        server.signal(signal.SIGTERM)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
    assert server.wait() == 0
    wait_for_end(server.workers[0])
    (request,) = requests(server)
    assert (request.status, request.cause) == (None, LOST)


def test_a_second_signal_ends_everything_at_once(server: Server) -> None:
    """The exit status names the second signal; no worker is left, and the journals can be read."""
    with held_request(server):
        server.signal(signal.SIGTERM)
        until(lambda: "stopping" in server.events())
        server.signal(signal.SIGINT)
        assert server.wait() == 128 + signal.SIGINT
    wait_for_end(server.workers[0])
    assert server.events()[-2:] == ["worker_killed", "killed"]


def test_a_killed_worker_loses_its_request_by_name_and_a_new_one_serves(server: Server) -> None:
    """The client reads an end without an answer; HTTPERR, both journals and W3SVC agree on it."""
    (worker,) = server.workers
    with held_request(server) as connection:
        os.kill(worker, signal.SIGKILL)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()

    assert server.ask(id="next").status == 200
    until(lambda: len(requests(server)) == 2)

    lost, served = requests(server)
    assert (lost.id, lost.worker, lost.status, lost.cause) == ("held", worker, None, LOST)
    assert served.worker not in (None, worker)
    assert [execution.id for execution in executions(server)] == ["next"]
    (line,) = server.httperr()
    assert line.endswith(f"GET {STATUS} - 1 {LOST} DefaultAppPool")
    died = [e for e in server.records("front") if isinstance(e, Event) and e.name == "worker_died"]
    assert [(event.worker, event.detail) for event in died] == [(worker, "SIGKILL")]
    assert '"event_id": 1009' in (server.journal / "stderr.log").read_text()


def test_a_killed_front_process_leaves_no_worker_and_readable_journals(tmp_path: Path) -> None:
    """After kill -9 of the front every worker ends by itself, and no record is torn."""
    with running_server(tmp_path, "apppool.MaxProcesses=3") as server:
        server.ask(id="before")
        until(lambda: len(requests(server)) == 1)
        server.signal(signal.SIGKILL)
        assert server.wait() == -signal.SIGKILL
        for worker in server.workers:
            wait_for_end(worker)
        assert [request.id for request in requests(server)] == ["before"]
        assert [execution.id for execution in executions(server)] == ["before"]


def test_plain_http_has_no_authority(tmp_path: Path) -> None:
    """With httpsys.TLS=0 the URL says http and there is nothing to trust."""
    with running_server(tmp_path, "httpsys.TLS=0") as server:
        assert (server.url[:7], server.ca) == ("http://", None)
        assert server.ask().status == 200


@pytest.mark.parametrize("option", ["port", "admin-port"])
def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path, option: str) -> None:
    """Exit 3, a sentence on stderr, nothing on stdout, and no worker was started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(tmp_path, f"--{option}={taken.getsockname()[1]}")
        out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (3, b"")
    said = (tmp_path / "stderr.log").read_text()
    assert str(taken) not in said
    assert said.count("\n") == 1
    assert not list(tmp_path.glob("worker-*"))


def test_a_reader_of_stdout_that_has_left_does_not_matter(tmp_path: Path) -> None:
    """The ready line goes nowhere; the server serves, and ends with 0 on SIGTERM."""
    read, write = os.pipe()
    os.close(read)
    process = start(tmp_path, stdout=write)
    os.close(write)
    front = tmp_path / f"front-{process.pid}.ndjson"
    try:
        until(lambda: front.exists() and b'"ready"' in front.read_bytes())
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "stderr.log").read_text().count("Error") == 0


def test_the_end_of_a_start_is_the_ready_line_alone(server: Server) -> None:
    """Nothing but that line is ever written to stdout."""
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert isinstance(server.process, subprocess.Popen)
    assert server.process.stdout is not None
    assert server.process.stdout.read() == b""


def test_a_start_imports_nothing_that_the_ready_line_does_not_need(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes long to import and is for rare cases stays out, where certificates are there."""
    del server  # has made them
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with running_server(tmp_path / "second"):
        lines = (tmp_path / "second" / "stderr.log").read_text().splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time")}
    assert "vaultstorm_server.front" in imported
    top = {name.partition(".")[0] for name in imported}
    assert not top & {"cryptography", "jinja2", "prometheus_client", "sqlite3", "trustme"}
    assert not top & {"tomllib", "vaultstorm_client"}
    assert not imported & {"rich.console", "vaultstorm.cli.burst", "vaultstorm.runner"}
