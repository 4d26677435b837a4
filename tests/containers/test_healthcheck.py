"""The health check against a real server."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.support.server import running_server

HEALTHCHECK = Path(__file__).parents[2] / "containers" / "healthcheck.py"


def _check(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", str(HEALTHCHECK), *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=30)


def test_it_asks_a_worker_process(tmp_path: Path) -> None:
    """It is healthy while it answers 200, and not when the pool is stopped behind an open port."""
    with running_server(tmp_path) as server:
        assert server.ca is not None
        healthy = _check(server.url, server.ca)
        server.control("POST", "/stop-pool")
        stopped = _check(server.url, server.ca)

    assert (healthy.returncode, healthy.stdout.split()[-1]) == (0, "200")
    assert (stopped.returncode, stopped.stdout.split()[-1]) == (1, "503")


def test_nobody_there_is_unhealthy(tmp_path: Path) -> None:
    """Without a server, and without its authority, it says why in one line and ends with 1."""
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        ended = _check(f"https://127.0.0.1:{bound.getsockname()[1]}", str(tmp_path / "ca.pem"))

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
