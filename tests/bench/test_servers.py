"""The servers and clients of the bench, with real sockets."""

from pathlib import Path

import pytest

from bench import certificate, nginx, peers, servers
from bench.certificate import Certificate
from bench.children import PYTHON, BenchError, Child
from bench.holders import holders
from bench.https import Answer
from tests.support.captured import captured

ANSWER = Answer(200, [("Server", "ours"), ("Content-Length", "5"), ("X-A", "b")], b"hello")


@pytest.fixture
def shown(tmp_path: Path) -> Certificate:
    """Make the certificate of a run."""
    return certificate.make(tmp_path)


def test_uvicorn_gives_the_same_answer_and_as_many_headers(
    tmp_path: Path, shown: Certificate
) -> None:
    """Copy status, body and headers, its own Server in the place of ours, and no Date."""
    with servers.uvicorn(tmp_path, shown, ANSWER) as server:
        copy = servers.answer_of(server.port)

    assert (copy.status, copy.body) == (200, b"hello")
    assert sorted(name.lower() for name, _ in copy.headers) == ["content-length", "server", "x-a"]


def test_an_answer_other_than_200_is_an_error(tmp_path: Path, shown: Certificate) -> None:
    """Refuse to measure a server that does not serve, and one that is not there."""
    with (
        servers.uvicorn(tmp_path, shown, ANSWER._replace(status=503)) as server,
        pytest.raises(BenchError, match="answered with 503"),
    ):
        servers.answer_of(server.port)

    with pytest.raises(BenchError, match="no answer"):
        servers.answer_of(server.port)


def test_hypercorn_gives_the_same_answer_and_as_many_headers(
    tmp_path: Path, shown: Certificate
) -> None:
    """Copy what uvicorn copies, in one process."""
    with servers.hypercorn(tmp_path, shown, ANSWER) as server:
        copy = servers.answer_of(server.port)

    assert (copy.status, copy.body) == (200, b"hello")
    assert sorted(name.lower() for name, _ in copy.headers) == ["content-length", "server", "x-a"]
    assert server.pids == [server.front]


def test_holders_open_ask_and_look(tmp_path: Path, shown: Certificate) -> None:
    """Add up what several processes hold, and notice when the server has ended it all."""
    with (
        servers.uvicorn(tmp_path, shown, ANSWER) as server,
        holders(server.port, 5, 2, "/") as group,
    ):
        assert group.step("opened") == (5, {})
        assert group.step("answered") == (5, {})
        done = list[str]()
        assert group.step("answered", lambda: done.append("meanwhile")) == (5, {})
        assert done == ["meanwhile"]
        server.child.end(patience=0.5)
        assert group.step("standing") == (0, {})


def test_holders_count_what_failed(tmp_path: Path, shown: Certificate) -> None:
    """Name each failure once, with how often it happened."""
    with servers.uvicorn(tmp_path, shown, ANSWER) as server:
        server.child.end()
        with holders(server.port, 3, 2, "/") as group:
            assert group.step("opened") == (0, {"open: [Errno 111] Connection refused": 3})
            assert group.step("answered").total == 0


@pytest.mark.skipif(peers.program("nginx") is None, reason="nginx is not installed")
def test_nginx_serves_with_one_worker(tmp_path: Path, shown: Certificate) -> None:
    """Run a master and a worker, and answer any path."""
    with nginx.serve(tmp_path, shown) as server:
        assert servers.answer_of(server.port).body == b"vaultstorm bench\n"
        assert len(server.pids) == 2

    with pytest.raises(BenchError, match="no answer"):
        servers.answer_of(server.port)


@pytest.mark.parametrize("connections", [0, 1, 14, 15, 16, 10_000, 18_000])
def test_nginx_has_room_for_what_it_is_to_keep(connections: int) -> None:
    """Leave more than a sixteenth of its slots free, with its master's and its listener's taken."""
    slots = nginx.slots(connections)
    assert slots - connections - 3 > slots // 16


def test_the_bare_loop_opens_exactly_what_it_was_told_to() -> None:
    """Send one SYN for each client to the bare listener, by a packet capture."""
    with Child([PYTHON, "-m", "bench.acceptor"]) as acceptor:
        port = int(acceptor.line(30))
        with captured(port) as capture:
            with Child([PYTHON, "-m", "bench.bare_loop", str(port), "50"]) as burst:
                assert float(burst.line(30)) > 0
            assert len(capture.syns()) <= 50

    assert len(capture.syns()) == 50


def test_missing_programs_are_named() -> None:
    """Find what is there, and name only what is not."""
    missing = peers.missing()

    assert set(missing) <= set(peers.PACKAGES)
    assert all((peers.program(name) is None) == (name in missing) for name in peers.PACKAGES)
    assert peers.install([]) is None
