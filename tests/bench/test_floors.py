"""What our figures are held against: bare loops, and other people's programs."""

import json
import os
from pathlib import Path

import pytest

from bench import certificate, compiled, keepalive, locust, nginx, peers, spread
from bench.children import PYTHON, Child, run
from bench.outputs import READERS
from tests.support.captured import captured


@pytest.mark.skipif(peers.program("cc") is None, reason="no C compiler")
def test_the_c_loop_opens_exactly_what_it_was_told_to(tmp_path: Path) -> None:
    """It is compiled once, sends one SYN for each client, and tells how long that took."""
    binary = compiled.compiled("bare_loop", tmp_path)
    assert binary == compiled.compiled("bare_loop", tmp_path)
    with Child([PYTHON, "-m", "bench.acceptor"]) as acceptor:
        port = int(acceptor.line(30))
        with (
            captured(port) as capture,
            Child(spread.command(spread.FLOOR, port, 50, binary)) as burst,
        ):
            assert float(burst.line(30)) > 0

    assert len(capture.syns()) == 50


@pytest.mark.skipif(peers.program("nginx") is None, reason="nginx is not installed")
@pytest.mark.parametrize("kind", ["epoll", "uvloop"])
def test_a_bare_loop_completes_every_connection(tmp_path: Path, kind: str) -> None:
    """Each of three clients makes four; where nobody listens, all fail."""
    with nginx.serve(tmp_path, certificate.make(tmp_path)) as server:
        port = str(server.port)
        done = run([PYTHON, "-m", "bench.loops", kind, port, "3", "4"], 30)
    gone = run([PYTHON, "-m", "bench.loops", kind, port, "2", "1"], 30)

    assert READERS["uvloop"](done.output)[:2] == (12, 0), done.errors
    assert READERS["uvloop"](gone.output)[:2] == (0, 2), gone.errors


def test_handshakes_in_memory_tell_what_each_half_costs(tmp_path: Path) -> None:
    """Both halves take CPU."""
    shown = certificate.make(tmp_path)
    argv = [PYTHON, "-m", "bench.handshake", str(shown.chain), str(shown.key), "3"]
    told = json.loads(run(argv, 30).output)

    assert told["client_us"] > 0
    assert told["server_us"] > 0


def test_locust_is_as_many_processes_as_there_are_cores_and_users(tmp_path: Path) -> None:
    """The users are shared out evenly, and none is left over."""
    cores = len(os.sched_getaffinity(0))
    for clients in (1, cores, cores + 1, 64):
        lines = keepalive.commands("locust", 1, clients, 1, tmp_path)
        users = [int(line[line.index("--users") + 1]) for line in lines]
        assert sum(users) == clients
        assert len(users) == min(clients, cores)
        assert max(users) - min(users) <= 1


def test_locust_is_found_where_it_was_put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the PATH first, then in its own environment; nowhere is None."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(locust, "program", lambda name: None)
    monkeypatch.setattr(locust, "HOME", tmp_path)
    assert locust.found() is None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "locust").touch()
    assert locust.found() == str(tmp_path / "bin" / "locust")
