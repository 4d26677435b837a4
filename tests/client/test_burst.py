"""A burst in one process and in several, and what ends it early."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.client.harness import HOST, fire, fire_at, records
from tests.support.command import environment
from tests.support.misbehaving import Misbehaving, Peer, answering
from vaultstorm_client.tally import Counts

FIRE = """
import json, sys
from pathlib import Path
from vaultstorm_client import burst, target
from vaultstorm_client.plan import Plan
options = json.loads(sys.argv[1])
aim = target.parse(options.pop("url"))
tally, interrupted = burst.run(Plan(**options), aim, None, Path(sys.argv[2]))
print(json.dumps({"outcomes": tally.counts.outcomes, "interrupted": interrupted}))
"""

SERVE = """
import socket, threading
listener = socket.create_server(("127.0.0.1", 0), backlog=128)
print(listener.getsockname()[1], flush=True)
def answer(sock):
    while sock.recv(65536):
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
while True:
    threading.Thread(target=answer, args=listener.accept()[:1], daemon=True).start()
"""


def start(directory: Path, port: int, **options: Any) -> subprocess.Popen[str]:
    """Start a burst in a process of its own."""
    options["url"] = f"http://{HOST}:{port}"
    arguments = [sys.executable, "-c", FIRE, json.dumps(options), str(directory)]
    return subprocess.Popen(arguments, env=environment(), stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    "options",
    [{"clients": 5, "requests": 3}, {"clients": 6, "rate": 300.0, "arrivals": "poisson"}],
    ids=["spike", "poisson"],
)
def test_processes_share(tmp_path: Path, options: dict[str, Any]) -> None:
    """However many processes share a burst, the requests are the same, and all are counted."""
    found = []
    for processes in (1, 2, 3):
        with Misbehaving(answering()) as server:
            directory = tmp_path / str(processes)
            fired = fire_at(server, directory, processes=processes, **options)
            assert set(fired.outcomes) == {"ok"}
            assert len(list(directory.iterdir())) == processes
            assert server.connections == fired.result["burst"]["connects"] == options["clients"]
            assert fired.result["latency_ms"]["total"] is not None
            found.append({record.id for record in fired.records})
    assert found[0] == found[1] == found[2]


def test_progress_of_processes(tmp_path: Path) -> None:
    """Progress is that of all processes together, and its last word is the result."""
    shown: list[int] = []

    def show(counts: Counts) -> None:
        shown.append(counts.attempts)

    with Misbehaving(answering()) as server:
        fired = fire(server.port, tmp_path, progress=show, clients=4, requests=3, processes=2)
    assert shown == sorted(shown)
    assert shown[-1] == fired.tally.counts.attempts == 12


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(tmp_path: Path, processes: int, number: signal.Signals) -> None:
    """An interrupt ends what is under way as the client's own doing; the sum adds up."""
    with Misbehaving(Peer.silence) as server:
        running = start(tmp_path, server.port, clients=6, requests=3, processes=processes)
        with running:
            while server.connections < 6:
                time.sleep(0.01)
            running.send_signal(number)
            printed = json.loads(running.communicate(timeout=30)[0])
    assert running.returncode == 0
    assert printed["interrupted"]
    assert sum(printed["outcomes"].values()) == 6
    assert all(outcome.endswith(".local") for outcome in printed["outcomes"])
    found = records(tmp_path)
    assert [record.detail for record in found] == ["interrupted"] * 6


def test_interrupted_while_it_starts(tmp_path: Path) -> None:
    """An interrupt at any moment of the start ends all processes, and none with a traceback."""
    with Misbehaving(Peer.silence) as server:
        for delay in (0.0, 0.01, 0.02, 0.03):
            directory = tmp_path / str(delay)
            with start(directory, server.port, clients=8, processes=8) as running:
                while not directory.exists():
                    time.sleep(0.001)
                time.sleep(delay)  # a moment among many: whichever it is, the same holds
                running.send_signal(signal.SIGINT)
                printed = json.loads(running.communicate(timeout=30)[0])
            assert printed["interrupted"]
            assert sum(printed["outcomes"].values()) == len(records(directory))
            assert all(outcome.endswith(".local") for outcome in printed["outcomes"])


def test_children_end_with_their_parent(tmp_path: Path) -> None:
    """When the burst is killed, no process of it goes on firing."""
    with Misbehaving(Peer.silence) as server:
        with start(tmp_path, server.port, clients=2, processes=2) as running:
            while server.connections < 2:
                time.sleep(0.01)
            running.kill()
        pids = [int(path.stem.partition("-")[2]) for path in tmp_path.iterdir()]
        assert len(pids) == 2
        for pid in pids:
            while _runs(pid):
                time.sleep(0.01)


def _runs(pid: int) -> bool:
    """Tell whether a process is there that is not just waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("processes", [1, 2])
def test_server_killed(tmp_path: Path, processes: int) -> None:
    """When the server is killed, every attempt has an outcome and its line in the journal."""
    serving = subprocess.Popen(
        [sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True, env=environment()
    )
    with serving:
        assert serving.stdout is not None
        port = int(serving.stdout.readline())

        def kill(counts: Counts) -> None:
            if counts.ok:
                os.kill(serving.pid, signal.SIGKILL)

        fired = fire(
            port,
            tmp_path,
            progress=kill,
            clients=10,
            requests=200,
            think=0.002,
            processes=processes,
        )
    assert fired.outcomes["ok"]
    assert fired.outcomes["connect.refused"]
    answered = fired.outcomes["ok"]
    assert answered + fired.result["lost"] == 2000


def test_no_journal_where_none_can_be(tmp_path: Path) -> None:
    """A journal that cannot be written ends the burst before it begins, with a way out."""
    from vaultstorm_wire.errors import MachineError

    (tmp_path / "file").write_text("")
    with socket.create_server((HOST, 0)) as listener:
        for processes in (1, 2):
            with pytest.raises(MachineError, match="--journal"):
                fire(
                    listener.getsockname()[1],
                    tmp_path / "file",
                    "tcp",
                    clients=2,
                    processes=processes,
                )


def test_signal_handlers_are_back(tmp_path: Path) -> None:
    """After a burst, signals mean what they meant before."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Misbehaving(answering()) as server:
        fire_at(server, tmp_path, clients=2, processes=2)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
