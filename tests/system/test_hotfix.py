"""A real server that gets a hotfix while it runs, and where its vault keeps what it is given."""

import contextlib
import hashlib
import http.client
import json
import os
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import vaultstorm
from tests.support.server import PATIENCE, STATUS, Server, running_server, until
from vaultstorm_wire.journal import Event, Sample

NAMES = pytest.mark.parametrize("name, steps", [("KB908739", 3), ("KB960007", 2), ("TECH39579", 6)])
PLAIN = "httpsys.TLS=0"
OPEN = "/AeXRSVault/interfaces"


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """Run what blocks beside the test."""
    with ThreadPoolExecutor() as executor:
        yield executor


def apply(server: Server, name: str) -> tuple[int, Any]:
    """Ask the control plane for a hotfix: the status and the JSON of its answer."""
    host = server.admin.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(host, timeout=PATIENCE)) as admin:
        admin.request("POST", f"/apply-hotfix/{name}")
        response = admin.getresponse()
        return response.status, json.loads(response.read())


def steps_of(server: Server) -> list[str]:
    """Give the steps of installations, as they are in the journal."""
    events = [e for e in server.records("front") if isinstance(e, Event)]
    return [e.detail or "" for e in events if e.name == "hotfix_step"]


def workers(server: Server) -> list[int]:
    """Give the pids of the workers that serve."""
    found = server.status()["pool"]["workers"]
    return [worker["pid"] for worker in found if worker["state"] == "serving"]


def vault_of(pid: int) -> Any:
    """Read the vault's settings in the command of a worker."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return json.loads(words[words.index(b"--vault") + 1])


@contextlib.contextmanager
def held(server: Server, count: int) -> Iterator[list[http.client.HTTPConnection]]:
    """Have requests under way at a worker that is stopped."""
    (worker,) = workers(server)
    os.kill(worker, signal.SIGSTOP)
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(count):
            connection = stack.enter_context(contextlib.closing(server.connect()))
            connection.request("GET", STATUS)
            connections.append(connection)
        until(lambda: server.status()["pool"]["workers"][0]["in_flight"] == count)
        yield connections


@NAMES
def test_a_hotfix_is_applied_under_load(
    tmp_path: Path, aside: ThreadPoolExecutor, name: str, steps: int
) -> None:
    """What is under way is answered, every step is told, and a worker that has it serves then."""
    with running_server(tmp_path, PLAIN) as server:
        (worker,) = workers(server)
        with held(server, 5) as connections:
            applying = aside.submit(apply, server, name)
            until(lambda: steps_of(server) != [])
            if name == "TECH39579":
                until(lambda: "pool_stopped" in server.events())
                assert server.ask().status == 503
            os.kill(worker, signal.SIGCONT)
            assert [c.getresponse().status for c in connections] == [200] * 5
        status, told = applying.result(PATIENCE)
        assert (status, told["hotfix"], len(told["steps"])) == (200, name, steps)
        assert steps_of(server) == [
            f"{name} {number}/{steps}: {text}" for number, text in enumerate(told["steps"], 1)
        ]
        assert server.events().index("hotfix_applied") > server.events().index("pool_stopped")
        assert server.ask().status == 200
        assert server.status()["hotfixes"] == [name]
        assert workers(server) != [worker]
        assert [vault_of(pid)["TECH39579"] for pid in workers(server)] == [name == "TECH39579"]

        again = vaultstorm("ctl", "apply-hotfix", name, "--admin", server.admin)
        assert again.returncode == 3
        assert f"409 to POST /apply-hotfix/{name}: {name} is installed already" in again.stderr
        assert len(steps_of(server)) == steps


def test_a_hotfix_of_the_start_is_there(tmp_path: Path) -> None:
    """And in the workers' command; another one is applied by the command line."""
    with running_server(tmp_path, PLAIN, "--hotfix=TECH39579") as server:
        assert server.status()["hotfixes"] == ["TECH39579"]
        assert vault_of(server.workers[0])["TECH39579"] == 1
        applied = vaultstorm("ctl", "apply-hotfix", "kb908739", "--admin", server.admin)
        assert (applied.returncode, applied.stderr) == (0, "")
        assert "- replace Http.sys" in applied.stdout
        assert server.status()["hotfixes"] == ["KB908739", "TECH39579"]
        assert server.ask().status == 200
        assert vault_of(workers(server)[0])["TECH39579"] == 1


def test_a_pool_that_hangs_gets_its_hotfix(tmp_path: Path, aside: ThreadPoolExecutor) -> None:
    """Its only thread waits for an entry: killed after the grace, and the next worker serves."""
    full = (PLAIN, "vault.MaxInterfaces=1", "vault.IsapiThreads=1")
    with running_server(tmp_path, *full) as server, contextlib.closing(server.connect()) as hung:
        assert server.ask("POST", OPEN).status == 201
        hung.request("POST", OPEN)
        until(lambda: [w["threads_held"] for w in server.status()["pool"]["workers"]] == [1])
        applying = aside.submit(apply, server, "TECH39579")
        until(lambda: steps_of(server) != [])
        status, told = apply(server, "KB908739")
        assert status == 409
        assert "the installation of TECH39579 is under way" in told["error"]
        with pytest.raises(http.client.RemoteDisconnected):
            hung.getresponse()
        assert applying.result(PATIENCE)[0] == 200
        assert server.ask("POST", OPEN).status == 201
        assert server.status()["hotfixes"] == ["TECH39579"]
        assert "worker_killed" in server.events()
        samples = [r for r in server.records("front") if isinstance(r, Sample)]
        assert max(sample.interfaces for sample in samples) == 1
        assert max(sample.threads_held for sample in samples) == 1


def test_a_signal_during_an_installation_stops_in_good_order(
    tmp_path: Path, aside: ThreadPoolExecutor
) -> None:
    """The request under way is answered, nothing is started again, and the exit status is 0."""
    with running_server(tmp_path, PLAIN) as server:
        with held(server, 1) as connections:
            applying = aside.submit(apply, server, "TECH39579")
            until(lambda: "pool_stopped" in server.events())
            server.signal(signal.SIGTERM)
            until(lambda: "hotfix_failed" in server.events())
            os.kill(server.workers[0], signal.SIGCONT)
            assert connections[0].getresponse().status == 200
        assert server.wait() == 0
        with contextlib.suppress(OSError, http.client.HTTPException):  # it may be cut off
            assert applying.result(PATIENCE)[0] == 409
        events = server.events()
        assert events.count("worker_started") == 1
        assert events[-1] == "stopped"
        assert "hotfix_applied" not in events
        assert len(steps_of(server)) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_temporary_vault_goes_with_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """After SIGTERM, and after a second one that ends it at once; a journal is no part of it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    with running_server(tmp_path / "journal", PLAIN) as server:
        directory = Path(vault_of(server.workers[0])["Directory"])
        assert directory.parent == tmp_path / "tmp"
        assert directory.is_dir()
        if times == 1:
            server.signal(signal.SIGTERM)
            assert server.wait() == 0
        else:
            with held(server, 1):
                server.signal(signal.SIGTERM)
                until(lambda: "stopping" in server.events())
                server.signal(signal.SIGTERM)
                assert server.wait() == 128 + signal.SIGTERM
    assert os.listdir(tmp_path / "tmp") == []


def test_a_vault_of_ones_own_stays(tmp_path: Path) -> None:
    """What one server was given, the next one has."""
    vault = tmp_path / "vault"
    block = b"block"
    digest = hashlib.sha256(block).hexdigest()
    for number in (1, 2):
        options = (PLAIN, f"vault.Directory={vault}")
        with running_server(tmp_path / f"journal-{number}", *options) as server:
            opened = json.loads(server.ask("POST", OPEN).body)["interface"]
            path = f"{OPEN}/{opened}/blocks/{digest}"
            if number == 1:
                assert server.ask("PUT", path, block).status == 201
            assert server.ask("GET", path).body == block
            entries = [w["interfaces"] for w in server.status()["pool"]["workers"]]
            assert entries == [1]
    assert vault.is_dir()


def test_a_vault_that_cannot_be_had_is_told_before_the_start() -> None:
    """The directory, why, and what to do; exit code 3, and no ready line."""
    with tempfile.NamedTemporaryFile() as file:
        ended = vaultstorm(
            *("serve", "--port=0", "--admin-port=0", "--no-rpc", "--no-tls"),
            *("--set", f"vault.Directory={file.name}"),
        )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert f"the vault cannot write in {file.name}: {file.name} is not a directory" in ended.stderr
    assert "name another directory with --set vault.Directory=DIR" in ended.stderr
