"""The middlewares under other people's servers, workers killed in the middle of a request."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.journal.reading import begun, executed, records
from vaultstorm.foreign.values import free_port
from vaultstorm.journal import process_file
from vaultstorm_wire.journal import Execution

ROOT = Path(__file__).parents[3]
ASGI = "tests.lab.journal.programs:asgi"
WSGI = "tests.lab.journal.programs:wsgi"
GUNICORN = ["gunicorn", WSGI, "--bind", "{address}", "--workers", "2", "--no-control-socket"]
ENDPOINT = ["--host", "{host}", "--port", "{port}", "--workers", "2"]
SERVERS = {
    "uvicorn": ["uvicorn", ASGI, *ENDPOINT],
    "hypercorn": ["hypercorn", ASGI, "--bind", "{address}", "--workers", "2"],
    "granian": ["granian", ASGI, *ENDPOINT, "--interface", "asgi"],
    "granian wsgi": ["granian", WSGI, *ENDPOINT, "--interface", "wsgi"],
    "gunicorn": GUNICORN,
    "gunicorn threads": [*GUNICORN, "--worker-class", "gthread", "--threads", "4", "--preload"],
}
ENDS_WITH_A_WORKER = ("hypercorn", "granian", "granian wsgi")


@contextmanager
def serving(name: str, journal: Path) -> Iterator[tuple[str, int]]:
    """Run a server in a process group of its own, of which nothing is left."""
    program, *options = SERVERS[name]
    found = shutil.which(program, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{program} is not installed")
    host, port = "127.0.0.1", free_port()
    given = {"host": host, "port": port, "address": f"{host}:{port}"}
    paths = [ROOT, *(ROOT / folder for folder in ("server", "client", "scenarios"))]
    process = subprocess.Popen(
        [found, *(option.format(**given) for option in options)],
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(map(str, paths)), process_file.VARIABLE: str(journal)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
        cwd=journal.parent,
    )
    try:
        until = time.monotonic() + 40
        while time.monotonic() < until:
            assert process.poll() is None
            try:
                socket.create_connection((host, port), 1).close()
                break
            except OSError:
                time.sleep(0.02)
        yield host, port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ask(address: tuple[str, int], id: str, target: str, body: bytes | None = None) -> int:
    """Send one request and give the status of its answer."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("PUT" if body else "GET", target, body, {"X-Request-Id": id})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def having(journal: Path, id: str) -> int:
    """Wait until a worker has begun a request, and give the worker."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for record in records(journal):
            if record.id == id:
                return record.worker
        time.sleep(0.01)
    raise AssertionError(f"nobody has begun {id}")


def killed_in(address: tuple[str, int], journal: Path, id: str, path: str) -> None:
    """Send a request, kill the worker that has it, and see the connection end."""
    with socket.create_connection(address, 30) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: {id}\r\n\r\n"
        connection.sendall(head.encode())
        worker = having(journal, id)
        if path == "/half":
            assert connection.recv(1)
        os.kill(worker, signal.SIGKILL)
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass


@pytest.mark.parametrize("name", SERVERS)
def test_what_was_executed_is_known_whatever_became_of_the_worker(
    name: str, tmp_path: Path
) -> None:
    """Answered, failed, killed before its answer, and killed in the middle of it."""
    journal = tmp_path / "journal"
    with serving(name, journal) as address:
        assert ask(address, "a", "/a?x=1") == 200
        assert ask(address, "put", "/b", b"body") == 200
        assert ask(address, "fail", "/fail") == 500
        killed_in(address, journal, "hang", "/hang")
        expected = {"a": 200, "put": 200, "fail": 500}
        if name not in ENDS_WITH_A_WORKER:
            killed_in(address, journal, "half", "/half")
            assert ask(address, "last", "/") == 200
            expected |= {"half": 200, "last": 200}
            assert len({record.worker for record in records(journal)}) > 1
    assert sorted(map(str, begun(journal))) == sorted([*expected, "hang"])
    assert dict(executed(journal)) == expected
    assert len(executed(journal)) == len(expected)
    first = next(one for one in records(journal) if isinstance(one, Execution) and one.id == "a")
    assert first.target == "/a?x=1"
