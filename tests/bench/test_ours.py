"""That the bench still speaks the language of our own commands."""

from pathlib import Path

import pytest

from bench import certificate, connections, nginx, peers, servers, spread
from bench.children import run
from bench.outputs import vaultstorm


def test_a_burst_tells_the_spread_of_its_syns() -> None:
    """Get the client's own figure; the capture sees as many connects as were asked for."""
    _captured, own = spread._burst("vaultstorm", 20)

    assert own is not None
    assert own > 0


def test_our_server_answers_and_uvicorn_copies_it(tmp_path: Path) -> None:
    """Start the server as the bench does; uvicorn gives the same bytes and as many headers."""
    shown = certificate.make(tmp_path)
    with servers.vaultstorm(tmp_path, shown) as ours:
        answer = servers.answer_of(ours.port)
        assert ours.front == ours.child.pid
        assert len(ours.pids) == 2  # the front process and one worker
    with servers.uvicorn(tmp_path, shown, answer) as theirs:
        copy = servers.answer_of(theirs.port)

    assert copy.body == answer.body
    assert len(copy.headers) == len(answer.headers)


@pytest.mark.skipif(peers.program("nginx") is None, reason="nginx is not installed")
def test_our_client_opens_a_connection_for_each_request(tmp_path: Path) -> None:
    """Complete all requests of the command that is measured, and lose none."""
    with nginx.serve(tmp_path, certificate.make(tmp_path)) as server:
        done = run(connections.command("vaultstorm", server.port, 4, 3), 30)

    assert vaultstorm(done.output)[:2] == (12, 0)
